"""Choices between two replies, as data sets of preferences have them: JSON Lines, a JSON list, or a table.

A choice has `chosen` and `rejected` replies to a `prompt` (or `question`, `instruction` with `input`, `conversations`),
and a `system` text at times. Each is a text, a message or a list of messages; a chosen and a rejected dialogue may
begin with the prompt. Forms: https://huggingface.co/docs/trl/dataset_formats (preference), UltraFeedback, Orca's pairs,
https://github.com/hiyouga/LLaMA-Factory/tree/main/data, and what `data preferences` writes.

HH-RLHF (Bai et al. 2022, https://arxiv.org/abs/2204.05862) writes a dialogue as one text, with `\\n\\nHuman:` and
`\\n\\nAssistant:` before its turns; its attacks by red teams are a `transcript` of that form. A mark within a turn is
text, unless a blank line stands before it: then it cannot be told from one between turns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile
from typing import Any, NamedTuple

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.data.preferences import Preference
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.files.source import Source, clean
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.formats.corpora.messages import turn_of
from wolf_chatbox.importers.shared.messages import ASSISTANT, SYSTEM, USER
from wolf_chatbox.importers.streams.json_stream import json_values

MARK = re.compile(r"(?:\A\s*|\n\n)(Human|Assistant):")
SPEAKERS = {"Human": USER, "Assistant": ASSISTANT}
PROMPTS = ("prompt", "question", "instruction", "conversations", "conversation", "input", "context")
SYSTEMS = ("system", "system_prompt")
REPLIES = [("chosen", "rejected"), ("chosen_response", "rejected_response")]
TRANSCRIPT = re.compile(r'"transcript"\s*:\s*"(?:\\n)*Human:')
REJECTED = re.compile(r'"rejected(?:_response)?"\s*:\s*["\[{]')
CHOSEN = re.compile(r'"chosen(?:_response)?"\s*:\s*["\[{]')


class Pair(NamedTuple):
    """What was said, and the turns of the chosen and of the rejected reply; none in a transcript."""

    context: tuple[Turn, ...]
    chosen: tuple[Turn, ...] = ()
    rejected: tuple[Turn, ...] = ()


def claims(head: str) -> bool:
    start = head.lstrip()
    chosen = bool(REJECTED.search(start)) and bool(CHOSEN.search(start))
    return start.startswith(("{", "[")) and (chosen or bool(TRANSCRIPT.search(start)))


def holds(row: Mapping[str, Any]) -> bool:
    """Whether a row of a table is a choice."""
    return any(chosen in row and rejected in row for chosen, rejected in REPLIES)


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield each dialogue with the chosen reply; the rejected one is dropped and counted."""
    yield from from_values(json_values(source), source.path.stem, tally)


def choices(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Preference]:
    """Yield the choices; those that differ in more than the assistant's last reply are dropped and counted."""
    yield from choices_of(json_values(source), tally)


def from_values(values: Iterable[tuple[str, Any]], stem: str, tally: Tally) -> Iterator[Conversation]:
    """Yield the conversations of (where, choice) pairs, each a numbered group of its own."""
    for number, (where, value) in enumerate(values, 1):
        pair = _pair(value, where, tally)
        said = pair.context + pair.chosen
        turns = tuple(turn for turn in said if turn.text)
        tally.kept += len(turns)
        silent = {"no text": len(said) - len(turns), "rejected reply": len(pair.rejected)}
        tally.dropped.update({reason: count for reason, count in silent.items() if count})
        if turns:
            yield Conversation(turns, f"{stem} {number}")


def choices_of(values: Iterable[tuple[str, Any]], tally: Tally) -> Iterator[Preference]:
    """Yield the choices of (where, choice) pairs."""
    for where, value in values:
        context, chosen, rejected = _pair(value, where, Tally())
        if not chosen and not rejected:
            tally.dropped["no choice between two replies"] += 1
        elif len(chosen) != 1 or len(rejected) != 1:
            tally.dropped["not one reply against another"] += 1
        elif chosen[0].speaker != rejected[0].speaker or chosen[0].speaker in (USER, SYSTEM):
            tally.dropped["not of one assistant"] += 1
        else:
            yield Preference(tuple(turn for turn in context if turn.text), chosen[0], rejected[0])


def _pair(value: Any, where: str, tally: Tally) -> Pair:
    """The turns of a choice; each that the chosen and the rejected dialogue share is in the context."""
    if not isinstance(value, dict):
        raise _unknown(where)
    if isinstance(transcript := value.get("transcript"), str):
        return Pair(tuple(_turns(transcript, USER, where, tally)))
    system = next((value[key] for key in SYSTEMS if isinstance(value.get(key), str)), "")
    context = [Turn(SYSTEM, clean(system))] if clean(system) else []
    context += _turns(_prompt(value), USER, where, tally)
    if context and context[-1] == (ASSISTANT, "", *context[-1][2:]):
        context.pop()  # the mark before the reply
    if "tied" in value:
        tied = value["tied"]
        tally.dropped["tied reply"] += len(tied) if isinstance(tied, list) else 1
        return Pair(tuple(context))
    names = next((names for names in REPLIES if all(name in value for name in names)), None)
    if names is None:
        raise _unknown(where)
    chosen = list(_turns(value[names[0]], ASSISTANT, where, tally))
    rejected = list(_turns(value[names[1]], ASSISTANT, where, Tally()))
    shared = sum(1 for _ in takewhile(lambda two: two[0] == two[1], zip(chosen, rejected)))
    if shared and shared == len(chosen) == len(rejected):
        shared -= 1  # the last turn is the reply
    return Pair(tuple(_joined(context, chosen[:shared])), tuple(chosen[shared:]), tuple(rejected[shared:]))


def _joined(context: list[Turn], shared: list[Turn]) -> list[Turn]:
    """The turns before the replies: those that both dialogues begin with, which may contain the prompt again."""
    spoken = [turn for turn in context if turn.speaker != SYSTEM]
    if spoken and shared and spoken[-1] in shared:
        return [*(turn for turn in context if turn.speaker == SYSTEM and turn not in shared), *shared]
    return context + shared


def _prompt(value: dict[str, Any]) -> Any:
    """What was asked: a text with its input below it, or messages."""
    key = next((key for key in PROMPTS if value.get(key)), "")
    asked, more = value.get(key), value.get("input")
    if key == "instruction" and isinstance(asked, str) and isinstance(more, str) and more.strip():
        return f"{asked}\n{more}"
    return asked


def _turns(value: Any, speaker: str, where: str, tally: Tally) -> Iterator[Turn]:
    """The turns of a text, which may be a whole dialogue, of a message, or of a list of messages."""
    if value is None:
        return
    for number, message in enumerate(value if isinstance(value, list) else [value], 1):
        if isinstance(message, str):
            yield from _texts(message, speaker)
        elif turn := turn_of(message, f"{where}, message {number}", tally):
            yield turn


def _texts(text: str, speaker: str) -> Iterator[Turn]:
    """Cut a dialogue at the marks of HH-RLHF; a text that does not begin with one is what `speaker` says."""
    if not MARK.match(text):
        yield Turn(speaker, clean(text))
        return
    _, *pieces = MARK.split(text)
    for mark, piece in zip(pieces[::2], pieces[1::2]):
        yield Turn(SPEAKERS[mark], clean(piece))


def _unknown(where: str) -> DataError:
    return DataError(f'{where}: not a choice. It needs "chosen" and "rejected": texts, messages or lists of messages.')


FORMAT = Format(
    title="choices between replies (HH-RLHF, UltraFeedback, TRL)",
    documentation="https://huggingface.co/docs/trl/dataset_formats",
    notes=(
        "JSON, JSON Lines or Parquet with `chosen` and `rejected`, after a `prompt`, `question` or `instruction`; "
        "HH-RLHF's dialogues and red-team transcripts. The chosen reply is read, the rejected one is counted; `data "
        "preferences` writes both, for `train --preferences`"
    ),
    claims=claims,
    read=read,
    choices=choices,
)
