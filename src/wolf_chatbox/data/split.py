"""What is done with conversations before they are rendered: count who speaks, find a name, hold a part out."""

from __future__ import annotations

import difflib
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from fnmatch import fnmatchcase

from wolf_chatbox.conversation import Conversation, folded
from wolf_chatbox.errors import DataError
from wolf_chatbox.visible import shortlist


def count_speakers(conversations: Iterable[Conversation]) -> Counter[str]:
    """Turns of each speaker."""
    return Counter(turn.speaker for conversation in conversations for turn in conversation.turns)


def find_speaker(name: str, speakers: Counter[str], what: str = "persona") -> str:
    """The speaker of that name, whatever its case and width; raises DataError with the nearest names when there is none."""
    if name in speakers:
        return name
    by_folded = {folded(speaker): speaker for speaker in reversed([each for each, _ in speakers.most_common()])}
    if folded(name) in by_folded:
        return by_folded[folded(name)]
    near = [
        by_folded[each]
        for each in difflib.get_close_matches(folded(name), by_folded, n=len(by_folded) or 1, cutoff=0.5)
    ]
    there = (
        f"Did you mean {shortlist(near, 3)}?"
        if near
        else f"The data has {shortlist([each for each, _ in speakers.most_common()], 5)}."
    )
    raise DataError(f"{what} {name!r}: no turn is spoken by it. {there}")


def partner_of(persona: str, conversations: Iterable[Conversation]) -> str | None:
    """Who most often speaks right before the persona: the part that a person takes in a chat with it."""
    before = Counter(
        earlier.speaker
        for conversation in conversations
        for earlier, later in zip(conversation.turns, conversation.turns[1:])
        if later.speaker == persona and earlier.speaker not in (persona, "system")
    )
    return before.most_common(1)[0][0] if before else None


def split(
    conversations: Sequence[Conversation],
    share: float,
    seed: int,
    weigh: Callable[[Conversation], int] = lambda conversation: len(conversation.turns),
) -> tuple[list[Conversation], list[Conversation], str | None]:
    """Hold out about `share` of the weight, by whole groups; returns (training, held out, a notice or None).

    The groups are drawn in an order that the seed decides. Where there is only one group to draw from, it is cut in
    time: its end is held out. `weigh` tells what a conversation counts, such as the turns that are learnt from it.
    """
    if share == 0:
        return list(conversations), [], "nothing is held out: there is no validation, and the last epoch is kept"
    groups: dict[str, list[Conversation]] = {}
    for conversation in conversations:
        groups.setdefault(unit_of(conversation), []).append(conversation)
    weights = {group: sum(map(weigh, members)) for group, members in groups.items()}
    candidates = [group for group, weight in weights.items() if weight]
    wanted = share * sum(weights.values())
    if len(candidates) < 2:
        return _cut_in_time(conversations, wanted, weigh)
    random.Random(seed).shuffle(candidates)
    held: set[str] = set()
    weight = 0
    for group in candidates[: len(candidates) - 1]:
        # A group joins when that brings the held-out weight nearer to what is wanted.
        if not held or abs(weight + weights[group] - wanted) < abs(weight - wanted):
            held.add(group)
            weight += weights[group]
    # With few groups the first one drawn may be far too large: the one nearest to what is wanted serves better.
    if weight > 2 * wanted:
        held = {min(candidates, key=lambda group: abs(weights[group] - wanted))}
    return (
        [each for each in conversations if unit_of(each) not in held],
        [each for each in conversations if unit_of(each) in held],
        None,
    )


def unit_of(conversation: Conversation) -> str:
    """What may not lie on both sides of a split: the group, and of a game all its recordings, in whatever language."""
    return (conversation.game and conversation.game.same_as) or conversation.group


def split_in_time(
    conversations: Sequence[Conversation],
    share: float,
    weigh: Callable[[Conversation], int] = lambda conversation: len(conversation.turns),
) -> tuple[list[Conversation], list[Conversation], str | None]:
    """Hold out the last `share` of the weight in time; returns (training, held out, a notice or None).

    Conversations whose source tells no times stand in the order in which they were read, before the others.
    """
    if share == 0:
        return split(conversations, 0, 0)
    ordered = sorted(
        conversations, key=lambda each: next((turn.time for turn in each.turns if turn.time), datetime.min)
    )
    training, held, _ = _cut_in_time(ordered, share * sum(map(weigh, ordered)), weigh)
    timeless = sum(all(turn.time is None for turn in each.turns) for each in ordered)
    return (
        training,
        held,
        f"{timeless} conversations have no times: they go by the order in which they were read" if timeless else None,
    )


def hold_out_speaker(conversations: Sequence[Conversation], name: str) -> tuple[list[Conversation], list[Conversation]]:
    """Hold out the conversations in which a speaker takes part; returns (training, held out). Raises DataError when there is no such speaker."""
    speaker = find_speaker(name, count_speakers(conversations), "held-out speaker")
    held = [each for each in conversations if speaker in each.speakers()]
    return [each for each in conversations if speaker not in each.speakers()], held


def hold_out_groups(
    conversations: Sequence[Conversation], pattern: str
) -> tuple[list[Conversation], list[Conversation]]:
    """Hold out the groups whose names match a pattern such as `season 2/*`, and other recordings of the same games; returns (training, held out).

    Raises DataError when there is no such group.
    """
    units = {unit_of(each) for each in conversations if fnmatchcase(each.group, pattern)}
    if not units:
        some = shortlist(dict.fromkeys(each.group for each in conversations), 3)
        raise DataError(
            f"held-out group {pattern!r}: no group has such a name (there are {some}). * stands for any characters."
        )
    held = [each for each in conversations if unit_of(each) in units]
    return [each for each in conversations if unit_of(each) not in units], held


def _cut_in_time(
    conversations: Sequence[Conversation], wanted: float, weigh: Callable[[Conversation], int]
) -> tuple[list[Conversation], list[Conversation], str | None]:
    training = list(conversations)
    held: list[Conversation] = []
    weight = 0
    while training and weight < wanted:
        last = training.pop()
        turns = last.turns
        if (
            last.game is not None
        ):  # a game is never cut in two, nor parted from its other recordings, nor held out when it is all there is
            together = [
                each for each in training if each.game and each.game.same_as and each.game.same_as == last.game.same_as
            ]
            if len(together) == len(training):
                training.append(last)
                break
            training = [each for each in training if each not in together]
            weight += weigh(last) + sum(map(weigh, together))
            held = [*together, last, *held]
            continue
        kept = len(turns)
        while kept and weight < wanted:
            kept -= 1
            weight += weigh(Conversation(turns[kept : kept + 1]))
        if kept:
            training.append(Conversation(turns[:kept], last.group))
        held.insert(0, Conversation(turns[kept:], last.group))
    return training, held, "all conversations are of one group: its last part in time is held out" if held else None
