"""Who is compared: the runs, and the base models that they were trained from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wolf_chatbox.config import EvaluateConfig, SamplingConfig
from wolf_chatbox.data.split import find_speaker
from wolf_chatbox.errors import ConfigError
from wolf_chatbox.model import engines
from wolf_chatbox.model.character import Character, load_character
from wolf_chatbox.model.hub import locate
from wolf_chatbox.model.record import read_run
from wolf_chatbox.samples.learnt import Learnt
from wolf_chatbox.visible import Tell

BASE = "base"


@dataclass(frozen=True)
class Trained:
    """A run, before its model is loaded."""

    name: str
    folder: Path
    record: dict[str, Any]
    learnt: Learnt

    @property
    def settings(self) -> dict[str, Any]:
        return dict(self.record.get("settings", {}))


@dataclass
class Contestant:
    """One who answers: its model is loaded when it is asked, and freed afterwards."""

    name: str
    run: Trained
    """The run, or the one whose base model this is."""
    is_base: bool = False
    loaded: Character | None = field(default=None, repr=False)


def find_runs(config: EvaluateConfig, tell: Tell) -> list[Trained]:
    """The runs, with what they learnt; raises ConfigError for a folder that does not say so."""
    found = []
    for name, run in zip(names_of(config.runs), config.runs):
        folder = locate(run, tell)
        record, learnt = read_run(folder), Learnt.read(folder)
        if record is None:
            raise ConfigError("runs", run, "is a base model, not a run. Name a run; its base is compared anyway.")
        if learnt is None:
            problem = "does not say what it learnt (trained by an earlier version). Train it again."
            raise ConfigError("runs", run, problem)
        found.append(Trained(name, folder, record, learnt))
    return found


def persona_of(runs: Sequence[Trained], asked: str | None) -> str | None:
    """Who is judged: the one who is asked for, else the runs' persona; None where they learnt everybody.

    Raises ConfigError when the runs have different personas, or none who is asked for.
    """
    trained = {run.record.get("persona") for run in runs}
    if asked is None:
        if len(trained) > 1:
            names = ", ".join(f"{run.name}: {run.record.get('persona') or 'everybody'}" for run in runs)
            raise ConfigError("persona", "(none)", f"is needed, as the runs learnt different ones ({names}).")
        [persona] = trained
        return persona
    for run in runs:
        speakers: Counter[str] = Counter(run.record.get("data", {}).get("speakers", {}))
        found = find_speaker(asked, speakers) if speakers else asked
        if run.record.get("persona") not in (None, found) and run.record.get("style") == "chat":
            raise ConfigError("persona", asked, f"is not whom {run.name} learnt, {run.record['persona']}.")
    return found


def contestants(runs: Sequence[Trained], *, bases: bool = True) -> list[Contestant]:
    """The runs, then with `bases` each base model once."""
    found = [Contestant(run.name, run) for run in runs]
    names = dict.fromkeys(run.record.get("base_model", "") for run in runs)
    for base in filter(None, names if bases else ()):
        run = next(run for run in runs if run.record.get("base_model") == base)
        name = BASE if len(names) == 1 else f"{BASE} {Path(base).name}"
        found.append(Contestant(name, run, is_base=True))
    return found


def load(contestant: Contestant, config: EvaluateConfig, persona: str | None, tell: Tell) -> Character:
    """The model of a contestant; a base model speaks as the run does. Raises what `load_character` raises."""
    run = contestant.run
    settings: dict[str, Any] = {
        "engine": config.engine,
        "quantise": config.quantise,
        "slots": config.slots,
        "trust_remote_code": config.trust_remote_code,
        "allow_base": config.allow_base,
    }
    if not contestant.is_base:
        return load_character(run.folder, persona=persona, **settings, tell=tell)
    return load_base(run.folder, run.record, persona, tell=tell, **settings)


def load_base(
    folder: Path, record: dict[str, Any], persona: str | None = None, *, tell: Tell = lambda text: None, **settings: Any
) -> Character:
    """The base model of a run's folder, which speaks as the run does; `settings` are those of `engines.load`."""
    from wolf_chatbox.model.light_tokenizer import load_light
    from wolf_chatbox.model.speech import Speech

    loaded = engines.load(locate(record["base_model"], tell), **settings, tell=tell)
    speech = Speech.of(folder, load_light(str(folder), folder, settings.get("trust_remote_code", False)), persona)
    voice = speech.voice(loaded.engine, record.get("max_tokens"))
    return Character(voice, speech.persona, speech.user, SamplingConfig())


def names_of(runs: Sequence[str]) -> list[str]:
    """A short name for each run: its folder's, with as much of the path as tells it from the others."""
    paths = [Path(run).resolve() if Path(run).exists() else Path(run) for run in runs]
    for depth in range(1, max(len(path.parts) for path in paths) + 1):
        names = ["/".join(path.parts[-depth:]) for path in paths]
        if len(set(names)) == len(names):
            return names
    return [f"{path.name} ({number})" for number, path in enumerate(paths, 1)]
