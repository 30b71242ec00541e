"""The persona of a run, for a character's card: what its own card said, and what it says in the data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from wolf_chatbox.config import CleanConfig, ReadConfig
from wolf_chatbox.conversation import Conversation, Turn, folded
from wolf_chatbox.data.cleaning import clean
from wolf_chatbox.data.split import count_speakers, find_speaker
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import CheckpointError, DataError, ModelError, Setting
from wolf_chatbox.importers import EXAMPLES, read_conversations
from wolf_chatbox.model.record import read_run

OPENINGS, SPOKEN, LONGEST = 4, 4, 600
"""How many openings and examples a persona has at most, and the characters of a turn that is long enough for one."""


@dataclass(frozen=True)
class Persona:
    """A character of a run."""

    name: str
    openings: tuple[str, ...]
    examples: tuple[tuple[Turn, Turn], ...]
    """What somebody said, and what the persona answered."""
    turns: int
    model: str
    """The name of the run."""
    run: Mapping[str, Any]
    """Its record."""

    @property
    def briefing(self) -> str:
        """What it knows by the card that it was trained with."""
        return str(self.run.get("briefings", {}).get(self.name, ""))

    def __str__(self) -> str:
        return f"{self.name}, with {len(self.openings)} openings and {len(self.examples)} examples"


def persona_of(model: Path, name: str | None = None, data: Sequence[str] = ()) -> Persona:
    """The persona of a run's folder, or another of its speakers, with what it says in the data.

    `data` are the files that the run was trained on, by default those that its record names. Raises ModelError where
    there is no run, DataError when there is no data or the speaker says nothing in it, CheckpointError when the data
    has names and the run has pseudonyms.
    """
    run = read_run(model)
    if run is None:
        raise ModelError(f"{model}: no trained model, so nobody to make a card of. Name the folder of one.")
    conversations = _read(model, run, data)
    speakers = count_speakers(conversations)
    name = name or run.get("persona")
    user = run.get("user")
    chosen = find_speaker(name, speakers) if name else next(n for n, _ in speakers.most_common() if n != user)
    conversations.sort(key=lambda talk: not talk.briefings)  # what its card says comes first
    openings, examples = _openings(chosen, conversations), _examples(chosen, conversations)
    greeting = run.get("greetings", {}).get(chosen)
    if greeting:
        openings = list(dict.fromkeys([greeting, *openings]))
    return Persona(
        chosen,
        tuple(openings[:OPENINGS]),
        tuple(_spread(examples, SPOKEN)),
        speakers[chosen],
        model.resolve().name,
        run,
    )


def _openings(name: str, conversations: Sequence[Conversation]) -> list[str]:
    """Turns of a speaker that begin a conversation, and then its first turns in the others."""
    own = folded(name)
    begun = [talk.turns[0].text for talk in conversations if talk.turns and folded(talk.turns[0].speaker) == own]
    spoken = ([turn.text for turn in talk.turns if folded(turn.speaker) == own] for talk in conversations)
    first = [texts[0] for texts in spoken if texts]
    return [text for text in dict.fromkeys([*begun, *first]) if len(text) <= LONGEST] or first[:1]


def _examples(name: str, conversations: Sequence[Conversation]) -> list[tuple[Turn, Turn]]:
    """What somebody said, and what a speaker answered."""
    own = folded(name)
    return [
        (before, turn._replace(speaker=name))
        for talk in conversations
        for before, turn in zip(talk.turns, talk.turns[1:])
        if folded(turn.speaker) == own
        and folded(before.speaker) not in (own, "system")
        and len(before.text + turn.text) <= LONGEST
    ]


def _spread(found: Sequence[tuple[Turn, Turn]], most: int) -> Iterator[tuple[Turn, Turn]]:
    """At most so many of a list, evenly spread over it."""
    count = min(most, len(found))
    return (found[(2 * at + 1) * len(found) // (2 * count)] for at in range(count))


def _read(model: Path, run: dict[str, Any], data: Sequence[str]) -> list[Conversation]:
    """The conversations that a run was trained on, cleaned as they were for it."""
    settings = run.get("settings", {})
    files = tuple(data) or tuple(str(path) for path in settings.get("data", ()))
    if not data and not all(path in EXAMPLES or Path(path).exists() for path in files):
        raise DataError(f"{model}: the data it was trained on is not here. Pass it with ", Setting("data"), ".")
    cleaning = _known(CleanConfig, settings.get("clean", {})) | {"pseudonyms": None}
    tally = Tally()
    read = read_conversations(files, ReadConfig(**_known(ReadConfig, settings.get("read", {}))), tally)
    conversations = list(clean(read, CleanConfig(**cleaning), tally))
    if not any(talk.turns for talk in conversations):
        raise tally.nothing_in(files)
    if settings.get("clean", {}).get("pseudonyms") and not set(count_speakers(conversations)) <= set(
        run.get("data", {}).get("speakers", {})
    ):
        raise CheckpointError(
            f"{model}: was trained under pseudonyms, and this data has names. "
            "Convert it first: wolf-chatbox data convert --pseudonyms FILE."
        )
    return conversations


def _known(kind: type, settings: Any) -> dict[str, Any]:
    """The settings of a record that a config has."""
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in dict(settings or {}).items() if name in names}
