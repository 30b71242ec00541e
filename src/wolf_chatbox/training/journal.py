"""The progress of a run as a file, one line of JSON each, for whoever looks on from another process."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, NamedTuple

from wolf_chatbox.conversation import Turn
from wolf_chatbox.files import writing
from wolf_chatbox.training.progress import (
    Evaluated,
    Notice,
    Planned,
    Prepared,
    Progress,
    Reply,
    Step,
    Trial,
    Updated,
)


@dataclass(frozen=True)
class Begun:
    """`Prepared` without its rows: the size of a run whose first update comes next."""

    model: str
    parameters: int
    trained: int
    precision: str
    device: str
    rows_an_update: int
    lr: float
    epochs: int
    updates: int
    done: int
    """Updates made before, by the run that is resumed."""
    learnt: int
    """Learnt tokens of an epoch."""
    turns: Mapping[str, int]
    notices: tuple[str, ...]


Event = Step | Notice | Trial | Begun | Planned | Updated | Evaluated
KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in (Step, Notice, Trial, Begun, Planned, Updated)}


class Entry(NamedTuple):
    """What a run reported, and when (seconds since the epoch)."""

    time: float
    event: Event


class Journal:
    """Writes what a run reports; give `tell` to `train`.

    journal = Journal(Path("journal.jsonl"))
    train(config, journal.tell)
    """

    def __init__(self, path: Path, now: Callable[[], float] = time.time) -> None:
        self.path, self._now = path, now

    def begin(self) -> None:
        """Remove what an earlier run reported; raises CheckpointError."""
        with writing(self.path):
            self.path.unlink(missing_ok=True)

    def tell(self, progress: Progress) -> None:
        """Add a line, readable by its owner only: replies quote the data. Raises CheckpointError."""
        line = to_json(Entry(self._now(), short(progress))) + "\n"
        with writing(self.path), open(self.path, "a", encoding="utf-8", opener=_private) as file:
            file.write(line)


def short(progress: Progress) -> Event:
    """What is written of an event: of the data only its size."""
    if not isinstance(progress, Prepared):
        return progress
    data = progress.dataset
    same = {field.name: getattr(progress, field.name) for field in fields(Begun) if hasattr(progress, field.name)}
    return Begun(**same, learnt=data.learnt_tokens, turns=data.turns(), notices=tuple(data.notices))


def to_json(entry: Entry) -> str:
    """An entry as a line of JSON."""
    event = entry.event
    values = _without_turns(event) if isinstance(event, Evaluated) else asdict(event)
    return json.dumps({"time": entry.time, "event": type(event).__name__} | values, ensure_ascii=False)


def _without_turns(event: Evaluated) -> dict[str, Any]:
    """An evaluation whose turns are pairs of a speaker and a text."""
    values: dict[str, Any] = {field.name: getattr(event, field.name) for field in fields(event)}
    values["replies"] = [
        {
            "context": [(turn.speaker, turn.text) for turn in reply.context],
            "said": (reply.said.speaker, reply.said.text),
            "generated": reply.generated,
        }
        for reply in event.replies
    ]
    return values


def from_json(line: str) -> Entry | None:
    """The entry of a line; None for one that is not whole, or of a kind that is not known."""
    try:
        values = json.loads(line)
        when, kind = float(values.pop("time")), values.pop("event")
        if kind == "Evaluated":
            values["replies"] = [
                Reply(tuple(Turn(*turn) for turn in reply["context"]), Turn(*reply["said"]), str(reply["generated"]))
                for reply in values["replies"]
            ]
            return Entry(when, Evaluated(**values))
        if kind == "Begun":
            values["notices"] = tuple(values["notices"])
        return Entry(when, KINDS[kind](**values)) if is_dataclass(KINDS[kind]) else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def read_journal(path: Path, offset: int = 0) -> tuple[list[Entry], int]:
    """The entries from a place in the file on, and the place after the last whole line; for a new file, from its start.

    Whoever follows a run calls it again with the place that it was given.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            start = offset if offset <= size else 0
            file.seek(start)
            data = file.read()
    except FileNotFoundError:
        return [], 0
    whole = data[: data.rfind(b"\n") + 1]
    found = map(from_json, whole.decode("utf-8", "replace").split("\n"))
    return [entry for entry in found if entry is not None], start + len(whole)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
