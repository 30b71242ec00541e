"""Which turns fit: into a prompt, where the oldest leave, and into a sample of the training."""

from __future__ import annotations

from collections.abc import Sequence


def first_kept(lengths: Sequence[int], room: int, keep: float) -> int:
    """The first of turns of these lengths that still stands in the prompt after the last; the rest fits the room.

    The turns are walked through from the first, so the answer depends on nothing but them, and changes rarely.
    """
    first = used = 0
    for at, length in enumerate(lengths):
        used += length
        if used > room:
            while first < at and used > keep * room:
                used -= lengths[first]
                first += 1
    return first


def fit(lengths: Sequence[int], at: int, room: int, context_tokens: int) -> tuple[int, int]:
    """Where a sample begins and ends that learns turns of these lengths from turn `at` on, as many as `room` holds.

    Between half and all of `context_tokens` is context, whichever fills the room best. Room that is left because the
    next turn is too long is filled with more context: a row costs the same.
    """
    choices = []  # (context, size, begin, end)
    begin, context = at, 0
    while True:
        end, size = at + 1, context + lengths[at]
        while end < len(lengths) and size + lengths[end] <= room:
            size += lengths[end]
            end += 1
        choices.append((context, size, begin, end))
        if (
            not begin
            or context + lengths[begin - 1] > context_tokens
            or context + lengths[begin - 1] + lengths[at] > room
        ):
            break
        begin -= 1
        context += lengths[begin]
    enough = choices[-1][0] / 2
    _, size, begin, end = max(
        (choice for choice in choices if choice[0] >= enough), key=lambda choice: (choice[1], choice[0])
    )
    while begin and end < len(lengths) and size + lengths[begin - 1] <= room:
        begin -= 1
        size += lengths[begin]
    return begin, end
