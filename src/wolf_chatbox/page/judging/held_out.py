"""Held-out exchanges for the page: of the data that runs were made from, what none of them learnt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import yaml

from wolf_chatbox.config import EvaluateConfig
from wolf_chatbox.evaluate.entries import Exchange

POOL = 200
"""Exchanges to choose from, spread over the conversations."""


def held_out(folders: Sequence[str], making: Path, tell: Callable[[int], None] = lambda count: None) -> list[Exchange]:
    """Exchanges of the runs' data that none of them learnt, spread over the conversations; slow for large data.

    `making` has the folders in which the page made characters; `tell` is for `away`, in whose process it is called.
    Raises ConfigError for a run that does not say what it learnt, or whose files are private, and for runs that do not
    go together; DataError where files are gone, or all was learnt.
    """
    from wolf_chatbox.evaluate.contestants import find_runs, persona_of
    from wolf_chatbox.evaluate.held_out import exchanges, in_blocks
    from wolf_chatbox.evaluate.study import read
    from wolf_chatbox.model.light_tokenizer import load_light
    from wolf_chatbox.model.speech import Speech
    from wolf_chatbox.samples.rendering import Renderer

    data, pseudonyms = sources(making, Path(folders[0]))
    config = EvaluateConfig(runs=tuple(folders), data=data, pseudonyms=pseudonyms)
    runs = find_runs(config, lambda text: None)
    first, persona = runs[0], persona_of(runs, None)
    _, divided = read(config, runs)
    tokenizer = load_light(str(first.folder), first.folder, config.trust_remote_code)
    renderer = Renderer(tokenizer, Speech.of(first.folder, tokenizer, persona).renderer.style, persona)
    view = first.settings.get("view", "player")
    return in_blocks(exchanges(divided.held_out, renderer, view, persona, POOL))


def sources(making: Path, run: Path) -> tuple[tuple[str, ...], Path | None]:
    """The files that the page made a run from, and its file of pseudonyms: a run does not name private ones.

    Nothing for a run of the command line, which names its files itself, if it may.
    """
    for path in making.glob("*/settings.yaml"):
        try:
            settings = yaml.safe_load(path.read_text(encoding="utf-8"))
            if Path(settings["output"]).resolve() == run.resolve():
                pseudonyms = settings.get("pseudonyms")
                return tuple(map(str, settings["data"])), Path(pseudonyms) if pseudonyms else None
        except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError):
            continue
    return (), None
