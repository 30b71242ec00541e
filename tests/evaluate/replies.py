"""A study in a few lines: what the humans said, and what others say in their place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType

from wolf_chatbox.conversation import Turn
from wolf_chatbox.evaluate.entries import Answer, Entry, Exchange, Study
from wolf_chatbox.evaluate.measure import Figure, figures
from wolf_chatbox.scene import Scene


def study(
    humans: Sequence[str],
    *others: Sequence[str],
    language: str = "en",
    references: Sequence[tuple[str, ...]] = (),
    earlier: Sequence[Turn] = (),
    a_conversation: int = 2,
) -> Study:
    """Entries run0, run1, …; `a_conversation` exchanges stand in each conversation, all after the `earlier` turns."""
    exchanges = [
        Exchange(
            Scene(tuple(earlier), "Ann"),
            Turn("Ann", said),
            at // a_conversation,
            references[at] if references else (),
        )
        for at, said in enumerate(humans)
    ]
    entries = [Entry("humans", "humans", [Answer(text) for text in humans])]
    entries += [Entry(f"run{at}", "run", [Answer(text) for text in texts]) for at, texts in enumerate(others)]
    return Study("Ann", exchanges, entries, (), language)


def measured(subject: ModuleType, of: Study) -> Callable[[str, str], Figure]:
    """The figure of a measure, by its name, for an entry, by its name."""
    found = figures(of, subject.measures(of))
    return lambda name, entry="run0": found[name][entry]  # type: ignore[misc]
