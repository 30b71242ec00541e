"""The trained models that are there, and what is known of them before any is loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from wolf_chatbox.errors import CheckpointError
from wolf_chatbox.model.record import RUN_FILE, read_run


@dataclass(frozen=True)
class Trained:
    """A run folder, before its model is loaded."""

    name: str
    folder: Path
    record: dict[str, Any] = field(repr=False)
    """run.json."""
    written: datetime

    @property
    def persona(self) -> str | None:
        """Who was learnt; None where everybody was."""
        return self.record.get("persona")

    @property
    def speakers(self) -> dict[str, int]:
        """Who speaks in the data, with how many turns of each, most first."""
        counts: dict[str, int] = self.record.get("data", {}).get("speakers", {})
        return dict(sorted(counts.items(), key=lambda pair: -pair[1]))

    @property
    def who(self) -> str:
        """The character's name, as a card shows it."""
        return self.persona or next(iter(self.speakers), self.name)

    @property
    def base(self) -> str:
        return str(self.record.get("base_model", ""))

    @property
    def learnt_tokens(self) -> int | None:
        """Tokens whose prediction counts, in each epoch."""
        return _whole(self.record.get("data", {}).get("learnt_tokens"))

    @property
    def perplexity(self) -> float | None:
        """Of the weights that were kept, on the held-out split; None where none was measured."""
        metrics = self.record.get("metrics")
        metrics = metrics if isinstance(metrics, dict) else {}
        for found in metrics.get("evaluations") or []:
            if isinstance(found, dict) and found.get("update") == metrics.get("best_update"):
                value = found.get("perplexity")
                return float(value) if isinstance(value, float | int) else None
        return None

    @property
    def size(self) -> int:
        """Bytes of the folder on the disk."""
        total = 0
        for path in self.folder.rglob("*"):
            with suppress(OSError):
                total += path.stat().st_size if path.is_file() and not path.is_symlink() else 0
        return total

    @property
    def turns(self) -> Mapping[str, int]:
        """What became of the turns that were read: `read`, `learnt`, `held out`, `context only`, `dropped`."""
        turns = self.record.get("data", {}).get("turns")
        return (
            {str(name): count for name, count in turns.items() if type(count) is int} if isinstance(turns, dict) else {}
        )


class Damaged(NamedTuple):
    """A run folder whose record cannot be read."""

    folder: Path
    reason: str


def runs_in(folder: Path) -> Iterator[Path]:
    """The run folders one level below a folder, in the order of their names; hidden ones are left out."""
    with suppress(OSError):
        yield from sorted(path.parent for path in folder.glob(f"[!.]*/{RUN_FILE}"))


def read_trained(folder: Path, name: str = "") -> Trained | Damaged | None:
    """What is known of a run folder; None where it holds no run."""
    try:
        record = read_run(folder)
        if record is None:
            return None
        written = datetime.fromtimestamp((folder / RUN_FILE).stat().st_mtime)
    except (CheckpointError, OSError) as error:
        return Damaged(folder, str(error))
    return Trained(name or folder.resolve().name, folder, record, written)


def _whole(value: object) -> int | None:
    return value if type(value) is int else None
