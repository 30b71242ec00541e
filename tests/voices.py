"""Two made-up people who speak very differently, and studies of replies to them."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.evaluate.entries import Answer, Entry, Exchange, Study
from wolf_chatbox.evaluate.measure import Figure, figures
from wolf_chatbox.scene import Scene

WORDS = {
    "Ann": "arr ye matey the ship sails and me gold rests below yonder treasure o parrot rum",
    "Bob": "kindly consider that your esteemed report was received however i regret its tardiness sir",
}
MARKS = {"Ann": "!", "Bob": "."}


def line(speaker: str, chance: random.Random, words: int = 9) -> str:
    """A line that only this speaker says so."""
    return " ".join(chance.choice(WORDS[speaker].split()) for _ in range(words)) + MARKS[speaker]


def talk(seed: int, turns: int = 10) -> Conversation:
    """Bob and Ann in turns."""
    chance = random.Random(seed)
    names = ("Bob", "Ann")
    return Conversation(tuple(Turn(names[at % 2], line(names[at % 2], chance)) for at in range(turns)), str(seed))


def exchanges(conversations: Sequence[Conversation], persona: str | None = "Ann") -> list[Exchange]:
    return [
        Exchange(Scene.of(conversation).before(at, 10), turn, number)
        for number, conversation in enumerate(conversations)
        for at, turn in enumerate(conversation.turns)
        if at and persona in (None, turn.speaker)
    ]


def entry(name: str, texts: Sequence[str], **more: Any) -> Entry:
    return Entry(name, "run", [Answer(text) for text in texts], **more)


def study(
    asked: Sequence[Exchange], *entries: Entry, training: Sequence[Conversation], language: str = "en", **more: Any
) -> Study:
    """These entries and the humans."""
    humans = Entry("humans", "humans", [Answer(exchange.said.text) for exchange in asked])
    return Study(more.pop("persona", "Ann"), asked, (*entries, humans), training, language, **more)


def measured(subject: Any, of: Study) -> dict[str, dict[str, Figure]]:
    """All figures of one file of measures, by measure and entry."""
    return figures(of, subject.measures(of))


def told(subject: Any, of: Study) -> Any:
    """The details of one file of measures, as they come back from JSON."""
    return json.loads(json.dumps(subject.details(of)))
