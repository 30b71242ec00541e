"""From files of choices between replies to rows of pairs; every choice is accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wolf_chatbox.config import SamplingConfig, TrainConfig
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.data.preferences import SAME, TITLE, Preference, read_preferences
from wolf_chatbox.data.split import split
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import ChatError, DataError, Setting
from wolf_chatbox.model.character import saved_sampling
from wolf_chatbox.model.load import BaseModel
from wolf_chatbox.model.record import read_run
from wolf_chatbox.model.speech import Speech
from wolf_chatbox.model.voice import KEEP
from wolf_chatbox.samples.learnt import Learnt
from wolf_chatbox.samples.packing import pack
from wolf_chatbox.samples.pairs import Pair, render_pair
from wolf_chatbox.samples.rendering import Rendered
from wolf_chatbox.samples.rows import Dataset
from wolf_chatbox.samples.styles import ASSISTANT, USER
from wolf_chatbox.scene import Scene

TIE = "neither reply was preferred"
TWICE = "the same choice as an earlier one"
STRANGER = "of a speaker that the model does not know"
LONG = "longer than half a row"


@dataclass(frozen=True)
class Choices:
    """What is read for a run on choices, each choice once."""

    found: list[Preference]
    tally: Tally


def read_choices(paths: Iterable[str]) -> Choices:
    """The choices of files; raises DataError for a bad line."""
    tally, found = Tally(), dict[Preference, None]()
    for path in paths:
        tally.formats.append((path, TITLE))
        for choice in read_preferences(Path(path)):
            tally.kept += 1
            if choice is None:
                tally.drop(1, TIE)
            elif choice.chosen.text == choice.rejected.text:
                tally.drop(1, SAME)
            elif choice in found:
                tally.drop(1, TWICE)
            else:
                found[choice] = None
    return Choices(list(found), tally)


def make_pairs(choices: Choices, config: TrainConfig, base: BaseModel) -> Dataset:
    """Render, split and pack choices as the run `base` speaks; its speakers, persona and style stay.

    Raises DataError when none is left to learn from or the run does not talk, and what `Speech.of` raises.
    """
    run = read_run(base.folder) or {}
    if run.get("reverse"):
        raise DataError(f"{config.model}: learnt conversations backwards, and answers nobody. Name a run that talks.")
    speech = Speech.of(base.folder, base.tokenizer)
    rendered = _render(choices, speech, config.max_tokens)
    if not rendered:
        raise _nothing(config, choices.tally)
    held_out = _hold_out(list(rendered), config)
    sides = [[pair for choice, pair in rendered.items() if (choice in held_out) == side] for side in (False, True)]
    rows, held_out_rows = (pack(pairs, config.max_tokens) for pairs in sides)
    learnt = [Conversation((*each.context[-1:], each.chosen)) for each in rendered if each not in held_out]
    before = Learnt.read(base.folder)
    training, measured = (Rendered(list(pairs), learnt=len(pairs)) for pairs in sides)
    notices = [] if held_out else ["no choice is held out: no validation; the model of the last epoch is kept"]
    return Dataset(
        renderer=speech.renderer,
        known=before.more(learnt) if before else Learnt.of(learnt),
        style_reason="as in the base model's training" if run else "as in a chat with the base model",
        persona=run.get("persona"),
        user=speech.user,
        speakers=Counter(speech.speakers) or Counter(choice.chosen.speaker for choice in rendered),
        tally=choices.tally,
        conversations=len({choice.context for choice in rendered}),
        training=training,
        held_out=measured,
        rows=rows,
        held_out_rows=held_out_rows,
        max_tokens=config.max_tokens,
        contexts=[
            (speech.cards.brief(Scene(choice.context, choice.chosen.speaker)), choice.chosen)
            for choice in list(held_out)[:2]
        ],
        notices=notices,
        unit="choices",
        before=_kept(run),
        cards=speech.cards,
    )


def sampling_of(config: TrainConfig, base: BaseModel) -> SamplingConfig:
    """The sampling that a run on choices records: what the settings change, else what is saved with the base model."""
    if config.sampling != SamplingConfig():
        return config.sampling
    return saved_sampling(base.model.generation_config.to_dict(), base.folder)


def _render(choices: Choices, speech: Speech, max_tokens: int) -> dict[Preference, Pair]:
    """The pairs of the choices that the model can learn; the others are counted as dropped."""
    rendered: dict[Preference, Pair] = {}
    for choice in (_named(choice, speech) for choice in choices.found):
        if choice in rendered or not _answers(choice.chosen.speaker, speech):
            choices.tally.drop(1, TWICE if choice in rendered else STRANGER)
            continue
        try:
            rendered[choice] = render_pair(speech.renderer, *choice, max_tokens, KEEP, speech.cards)
        except ChatError:
            choices.tally.drop(1, LONG)
    return rendered


def _kept(run: dict[str, Any]) -> dict[str, Any]:
    """What choices do not change in the record of the run that goes on: its history's length, and what it learnt."""
    length = {name: run[name] for name in ("max_tokens",) if name in run}
    return length | {"supervised": run.get("supervised", run.get("data"))}


def _named(choice: Preference, speech: Speech) -> Preference:
    """A choice whose messages had roles and no names: the assistant is the model's persona, the user its partner."""
    names = {ASSISTANT: speech.persona, USER: speech.user}

    def named(turn: Turn) -> Turn:
        return turn if turn.speaker in speech.speakers else turn._replace(speaker=names.get(turn.speaker, turn.speaker))

    return Preference(tuple(map(named, choice.context)), named(choice.chosen), named(choice.rejected))


def _answers(speaker: str, speech: Speech) -> bool:
    if speech.renderer.style.name == "chat":
        return speaker == speech.persona
    return not speech.speakers or speaker in speech.speakers


def _hold_out(choices: list[Preference], config: TrainConfig) -> dict[Preference, None]:
    """About a share of the choices; those with the same context are held out together."""
    numbers = {context: str(number) for number, context in enumerate(dict.fromkeys(each.context for each in choices))}
    if len(numbers) < 2:
        return {}
    groups = [Conversation(choice.context, numbers[choice.context]) for choice in choices]
    held = {group.group for group in split(groups, config.validation_share, config.seed, lambda _: 1).held_out}
    return {choice: None for choice in choices if numbers[choice.context] in held}


def _nothing(config: TrainConfig, tally: Tally) -> DataError:
    dropped = ", ".join(f"{count} {reason}" for reason, count in tally.dropped.items())
    found = f"{tally.read} read" + (f": {dropped}" if dropped else "")
    remedy = (" Raise ", Setting("max_tokens"), ".") if tally.dropped[LONG] else (" Vote, or use /retry in a chat.",)
    return DataError(f"{', '.join(config.preferences)}: no choice to learn from ({found}).", *remedy)
