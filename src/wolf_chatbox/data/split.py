"""Who speaks in conversations, and which of them are held out."""

from __future__ import annotations

import difflib
import random
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import NamedTuple

from wolf_chatbox.conversation import Conversation, folded
from wolf_chatbox.errors import DataError
from wolf_chatbox.visible import shortlist

Weigh = Callable[[Conversation], int]


class Split(NamedTuple):
    """The training split and the held-out split; `notice` says what a user should know about how they came about."""

    training: list[Conversation]
    held_out: list[Conversation]
    notice: str | None = None


def count_turns(conversation: Conversation) -> int:
    return len(conversation.turns)


def count_speakers(conversations: Iterable[Conversation]) -> Counter[str]:
    """Turns of each speaker."""
    return Counter(turn.speaker for conversation in conversations for turn in conversation.turns)


def find_speaker(name: str, speakers: Counter[str], what: str = "persona") -> str:
    """The speaker of that name, whatever its case and width; raises DataError with similar names if there is none."""
    if name in speakers:
        return name
    by_frequency = [speaker for speaker, _ in speakers.most_common()]
    by_folded = {folded(speaker): speaker for speaker in reversed(by_frequency)}
    if folded(name) in by_folded:
        return by_folded[folded(name)]
    near = difflib.get_close_matches(folded(name), by_folded, n=len(by_folded) or 1, cutoff=0.5)
    if near:
        raise DataError(
            f"{what} {name!r}: no such speaker. Did you mean {shortlist([by_folded[form] for form in near], 3)}?"
        )
    raise DataError(f"{what} {name!r}: no such speaker. The data has {shortlist(by_frequency, 5)}.")


def partner_of(persona: str, conversations: Iterable[Conversation]) -> str | None:
    """Who most often speaks right before the persona: whose part a person takes in a chat with it."""
    before = Counter(
        earlier.speaker
        for conversation in conversations
        for earlier, later in zip(conversation.turns, conversation.turns[1:])
        if later.speaker == persona and earlier.speaker not in (persona, "system")
    )
    return before.most_common(1)[0][0] if before else None


def split(conversations: Sequence[Conversation], share: float, seed: int, weigh: Weigh = count_turns) -> Split:
    """Hold out about `share` of the weight, by whole groups, drawn in an order that the seed decides.

    If there is only one group to draw from, its end in time is held out. `weigh` gives the weight of a conversation,
    such as the turns that are learnt from it.
    """
    if share == 0:
        return Split(list(conversations), [], "nothing is held out: no validation; the model of the last epoch is kept")
    groups: dict[str, list[Conversation]] = {}
    for conversation in conversations:
        groups.setdefault(unit_of(conversation), []).append(conversation)
    weights = {group: sum(map(weigh, members)) for group, members in groups.items()}
    candidates = [group for group, weight in weights.items() if weight]
    wanted = share * sum(weights.values())
    if len(candidates) < 2:
        return _cut_in_time(conversations, wanted, weigh)
    random.Random(seed).shuffle(candidates)
    return _apart(conversations, _draw(candidates, weights, wanted))


def _draw(candidates: Sequence[str], weights: Mapping[str, int], wanted: float) -> set[str]:
    """The groups to hold out: in order, each one that brings the weight nearer to what is wanted; never all of them."""
    held: set[str] = set()
    weight = 0
    for group in candidates[:-1]:
        if not held or abs(weight + weights[group] - wanted) < abs(weight - wanted):
            held.add(group)
            weight += weights[group]
    # With few groups the first one drawn may be far too large; then the one nearest to what is wanted is better.
    if weight > 2 * wanted:
        held = {min(candidates, key=lambda group: abs(weights[group] - wanted))}
    return held


def unit_of(conversation: Conversation) -> str:
    """What may not be divided by the split: the group; of a game, all its recordings in whatever language."""
    return (conversation.game and conversation.game.same_as) or conversation.group


def _apart(conversations: Sequence[Conversation], units: Collection[str]) -> Split:
    return Split(
        [conversation for conversation in conversations if unit_of(conversation) not in units],
        [conversation for conversation in conversations if unit_of(conversation) in units],
    )


def split_in_time(conversations: Sequence[Conversation], share: float, weigh: Weigh = count_turns) -> Split:
    """Hold out the last `share` of the weight in time.

    Conversations without times keep the order in which they were read, before all others.
    """
    if share == 0:
        return split(conversations, 0, 0)

    def start(conversation: Conversation) -> datetime:
        return next((turn.time for turn in conversation.turns if turn.time), datetime.min)

    ordered = sorted(conversations, key=start)
    training, held_out, _ = _cut_in_time(ordered, share * sum(map(weigh, ordered)), weigh)
    timeless = sum(start(conversation) == datetime.min for conversation in ordered)
    notice = f"{timeless} conversations have no times: they count as the earliest, in the order in which they were read"
    return Split(training, held_out, notice if timeless else None)


def hold_out_speaker(conversations: Sequence[Conversation], name: str) -> Split:
    """Hold out the conversations in which a speaker takes part; raises DataError if there is no such speaker."""
    speaker = find_speaker(name, count_speakers(conversations), "held-out speaker")
    return Split(
        [conversation for conversation in conversations if speaker not in conversation.speakers()],
        [conversation for conversation in conversations if speaker in conversation.speakers()],
    )


def hold_out_groups(conversations: Sequence[Conversation], pattern: str) -> Split:
    """Hold out the groups whose names match a pattern such as `season 2/*`, and other recordings of the same games.

    Raises DataError if no group matches.
    """
    units = {unit_of(conversation) for conversation in conversations if fnmatchcase(conversation.group, pattern)}
    if not units:
        some = shortlist(dict.fromkeys(conversation.group for conversation in conversations), 3)
        raise DataError(
            f"held-out group {pattern!r}: no group has such a name (there are {some}). * stands for any characters."
        )
    return _apart(conversations, units)


def _cut_in_time(conversations: Sequence[Conversation], wanted: float, weigh: Weigh) -> Split:
    training = list(conversations)
    held_out: list[Conversation] = []
    weight = 0
    while training and weight < wanted:
        last = training.pop()
        if last.game is not None:  # never cut in two, nor separated from its other recordings
            recordings = [other for other in training if _same_game(other, last)]
            if len(recordings) == len(training):  # nor held out if nothing else is left to learn from
                training.append(last)
                break
            training = [other for other in training if other not in recordings]
            weight += weigh(last) + sum(map(weigh, recordings))
            held_out = [*recordings, last, *held_out]
            continue
        kept = len(last.turns)
        while kept and weight < wanted:
            kept -= 1
            weight += weigh(replace(last, turns=last.turns[kept : kept + 1]))
        if kept:
            training.append(replace(last, turns=last.turns[:kept]))
        held_out.insert(0, replace(last, turns=last.turns[kept:]))
    return Split(
        training, held_out, "only one group has turns to learn: the last part in time is held out" if held_out else None
    )


def _same_game(one: Conversation, other: Conversation) -> bool:
    return bool(one.game and other.game and one.game.same_as and one.game.same_as == other.game.same_as)
