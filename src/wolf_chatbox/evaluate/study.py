"""An evaluation from its runs and data to its results, read top to bottom."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from itertools import combinations
from typing import TYPE_CHECKING, Any

from wolf_chatbox.config import CleanConfig, EvaluateConfig, ReadConfig
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.data.cleaning import clean
from wolf_chatbox.data.languages import language_of
from wolf_chatbox.data.near_duplicates import leak
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import ConfigError, DataError, ModelError
from wolf_chatbox.evaluate import observe
from wolf_chatbox.evaluate.canaries import canaries_of, exposures, scores_of
from wolf_chatbox.evaluate.contestants import Contestant, Trained, contestants, find_runs, load, persona_of
from wolf_chatbox.evaluate.entries import Answer, Entry, Fitted, Probe, Study
from wolf_chatbox.evaluate.held_out import BLOCK, FEW_CONVERSATIONS, Divided, divide, exchanges, in_blocks
from wolf_chatbox.evaluate.measure import Measure, difference, figures
from wolf_chatbox.evaluate.measures import (
    consistency,
    diversity,
    fit,
    mauve,
    memorisation,
    persona,
    realness,
    references,
)
from wolf_chatbox.evaluate.measures.memorisation import probes
from wolf_chatbox.evaluate.ngrams import words_of
from wolf_chatbox.evaluate.results import Results
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.model.character import Character
from wolf_chatbox.model.light_tokenizer import load_light
from wolf_chatbox.model.speech import Speech
from wolf_chatbox.samples.briefing import introduce
from wolf_chatbox.samples.rendering import Renderer
from wolf_chatbox.visible import Tell

if TYPE_CHECKING:
    from wolf_chatbox.evaluate.features import Rows

SUBJECTS: tuple[Any, ...] = (fit, references, diversity, mauve, persona, realness, memorisation, consistency)
"""The files of measures, in the order of the table."""
QUICK = {"ends", "right_character", "right_character_of_ceiling", "copied_12"}
"""The measures of --quick, which need the replies alone."""
LEAST_FOR_MAUVE = 50
"""Replies that MAUVE needs: with fewer there are too few groups of them to differ in."""
CHAT_TURNS, CHAT_TOKENS = 30, 64
"""Turns of a chat, and tokens of a turn in it at most."""
HUMANS = "humans"
PROBED = 2000
"""Exchanges of each side that probes are drawn from."""


def evaluate(config: EvaluateConfig, tell: Tell = lambda text: None) -> Results:
    """Ask each run, its untrained base model and the humans the same held-out exchanges, and measure the replies.

    `tell` is told what is done. Raises DataError when nothing is held out, ConfigError when the runs do not go
    together, and what loading a model raises.
    """
    # 1. What the runs learnt, and what is left to ask
    if config.quick:
        config = replace(config, chats=0, probes=0)
    runs = find_runs(config, tell)
    persona = persona_of(runs, config.persona)
    files, divided = read(config, runs)
    study, notices = ask(config, runs, persona, divided)
    tell(f"{len(study.exchanges)} exchanges of {len(divided.held_out)} held-out conversations")

    # 2. What each says
    entries = []
    for contestant in contestants(runs, bases=not config.quick):
        tell(f"loading {contestant.name}")
        try:
            character = load(contestant, config, persona, tell)
        except ModelError as error:
            if not contestant.is_base:
                raise
            notices.append(f"without the base model: {error}")
            continue
        entries.append(observed(contestant, character, study, config, tell))
        character.voice.engine.close()
    humans = Entry(HUMANS, "humans", [Answer(exchange.said.text) for exchange in study.exchanges])
    study = replace(study, entries=(*entries, humans))

    # 3. What that is worth
    rows = {} if config.quick else reply_features(config, runs, study, notices, tell)
    tell("measuring")
    more: dict[Any, tuple[Any, ...]] = {mauve: (rows,)}
    measures = [measure for subject in SUBJECTS for measure in subject.measures(study, *more.get(subject, ()))]
    if config.quick:
        measures = [measure for measure in measures if measure.name in QUICK]
    found = figures(study, measures)
    asked = () if config.quick else SUBJECTS
    details = {_name(subject): subject.details(study, *more.get(subject, ())) for subject in asked}
    settings = asdict(config) | {"data": list(files), "wolf_chatbox": version("wolf_chatbox")}
    return Results(study, measures, found, comparisons(study, measures), details, settings, notices)


def read(config: EvaluateConfig, runs: Sequence[Trained]) -> tuple[tuple[str, ...], Divided]:
    """The files, and their conversations by what the runs learnt; they are read and cleaned as for the first run.

    Raises ConfigError where the runs read or cleaned their data differently, or do not name their files.
    """
    first = runs[0].settings
    for run in runs[1:]:
        if any(run.settings.get(part) != first.get(part) for part in ("read", "clean")):
            problem = f"read or cleaned its data otherwise than {runs[0].name}. Evaluate it alone."
            raise ConfigError("runs", run.name, problem)
    files = config.data or tuple(first.get("data", ()))
    cleaning = dict(first.get("clean", {}))
    if cleaning.get("pseudonyms"):
        if config.pseudonyms is None:
            raise ConfigError("pseudonyms", "(none)", "is needed: the run learnt its data under pseudonyms.")
        cleaning["pseudonyms"] = config.pseudonyms
    reading = ReadConfig(**{key: _listed(value) for key, value in first.get("read", {}).items()})
    clean_as = CleanConfig(**{key: _listed(value) for key, value in cleaning.items()})
    if not config.data and clean_as.protects:
        raise ConfigError("data", "(none)", "is needed: the run does not name its files, which are private.")
    tally = Tally()
    conversations = introduce(list(clean(read_conversations(files, reading, tally), clean_as, tally))).conversations
    if not conversations:
        raise tally.nothing_in(files)
    return files, divide(conversations, {run.name: run.learnt for run in runs}, files)


def ask(
    config: EvaluateConfig, runs: Sequence[Trained], persona: str | None, divided: Divided
) -> tuple[Study, list[str]]:
    """The study before anybody has answered, and what the user should know of it."""
    first = runs[0]
    tokenizer = load_light(str(first.folder), first.folder, config.trust_remote_code)
    # Without a persona a speech has the speaker with the most turns; here everybody is asked.
    renderer = Renderer(tokenizer, Speech.of(first.folder, tokenizer, persona).renderer.style, persona)
    view = first.settings.get("view", "player")
    found = exchanges(divided.held_out, renderer, view, persona, config.replies)
    asked, count = in_blocks(found), len({exchange.conversation for exchange in found})
    notices = [*divided.notices]
    if count < FEW_CONVERSATIONS:
        few = f"{count} held-out conversation" + ("s" if count > 1 else "")
        notices.append(f"{few}: intervals draw blocks of {BLOCK} exchanges, and say nothing of other conversations")
    if near := leak(divided.learnt, divided.held_out):
        notices.append(f"{near:.0%} of the held-out conversations are near-duplicates of learnt ones: figures flatter")
    language = language_of(Conversation(tuple(exchange.said for exchange in asked)))
    study = Study(persona, asked, (), divided.learnt, language, (), config.seed, count)
    return replace(study, probes=find_probes(study, divided, renderer, view, config.probes)), notices


def find_probes(study: Study, divided: Divided, renderer: Renderer, view: str, count: int) -> list[Probe]:
    """So many probes of what the runs learnt, and as many of what is held out; none where a side has no turn for it."""
    found: list[Probe] = []
    for conversations, held_out in ((divided.learnt, False), (divided.held_out, True)):
        try:
            said = exchanges(conversations, renderer, view, study.persona, PROBED)
        except DataError:
            continue
        found += probes(said, count, study.seed, words_of(study), held_out=held_out)
    return found


def observed(contestant: Contestant, character: Character, study: Study, config: EvaluateConfig, tell: Tell) -> Entry:
    """What one contestant says and expects."""
    voice, name = character.voice, contestant.name
    sampling = config.sampling(character.sampling)

    def told(what: str, of: int) -> Callable[[int], None]:
        return lambda done: tell(f"{name}: {what} {done}/{of}")

    count = len(study.exchanges)
    fitted: list[Fitted] = []
    if not config.quick:
        fitted = observe.fitted(voice, study.exchanges, sampling, told("expectations", count))
    answers = observe.answers(voice, study.exchanges, sampling, study.seed, config.slots, told("replies", count))
    chats = observe.chats(
        voice,
        beginnings(study, config.chats),
        (character.persona, character.user),
        CHAT_TURNS,
        replace(sampling, max_new_tokens=min(CHAT_TOKENS, sampling.max_new_tokens)),
        study.seed,
        told("turns of chats", config.chats * CHAT_TURNS),
    )
    continued = observe.continued(voice, study.probes, config.slots, told("beginnings", len(study.probes)))
    exposed = exposures(canaries_of(contestant.run.record), scores_of(voice, sampling), study.seed)
    return Entry(name, "base" if contestant.is_base else "run", answers, fitted, chats, continued, exposed)


def reply_features(
    config: EvaluateConfig, runs: Sequence[Trained], study: Study, notices: list[str], tell: Tell
) -> dict[str, Rows]:
    """The features of each entry's replies, by its name; none where the model that gives them is not to be had."""
    if len(study.exchanges) < LEAST_FOR_MAUVE:
        notices.append(f"without MAUVE: {len(study.exchanges)} replies, and it needs {LEAST_FOR_MAUVE}")
        return {}
    from wolf_chatbox.evaluate.features import features  # torch takes seconds to import

    model = config.features or runs[0].record["base_model"]
    texts = [answer.text for entry in study.entries for answer in entry.answers]
    try:
        rows = features(
            model,
            texts,
            trust_remote_code=config.trust_remote_code,
            tell=tell,
            told=lambda done: tell(f"features of replies {done}/{len(set(texts))}"),
        )
    except ModelError as error:
        notices.append(f"without MAUVE: {error}")
        return {}
    count = len(study.exchanges)
    return {entry.name: rows[at * count : (at + 1) * count] for at, entry in enumerate(study.entries)}


def beginnings(study: Study, count: int) -> list[list[Turn]]:
    """How the chats of each contestant begin: the turns before exchanges spread over the study, two at most."""
    chosen = [study.exchanges[(2 * at + 1) * len(study.exchanges) // (2 * count)] for at in range(count)]
    return [list(exchange.scene.turns[-2:]) for exchange in chosen]


def comparisons(study: Study, measures: Sequence[Measure]) -> dict[str, dict[str, dict[str, float]]]:
    """The p values of each measure between any two entries."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for measure in measures:
        parts = {entry.name: measure.parts(entry) for entry in study.entries}
        for one, other in combinations([name for name, part in parts.items() if part], 2):
            p = difference(measure, parts[one], parts[other], study.seed)
            if p is not None:
                found.setdefault(measure.name, {}).setdefault(one, {})[other] = p
    return found


def _listed(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _name(subject: Any) -> str:
    return str(subject.__name__.rpartition(".")[2])
