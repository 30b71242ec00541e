"""Memory beyond the context: keeps what was said, and brings back what fits the present turns.

Each chat is a file of its own, which is written whole and which no other chat writes. So several processes need no
lock and lose nothing of each other's. Nothing leaves the machine.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from platformdirs import user_state_path

from wolf_chatbox.conversation import Conversation, Turn, folded, parse_json
from wolf_chatbox.errors import DataError
from wolf_chatbox.files import new_file, remove, writing
from wolf_chatbox.talk.search import Exchange, Index, exchanges
from wolf_chatbox.visible import Tell

MOST_BYTES = 1_000_000
"""What the chats of two people take at most: about 9,000 turns. The oldest leave first, the newest never."""
MOST_RECALLED = 3
"""Exchanges that are brought back at once, at most."""
ROOM = 600
"""Characters of what is brought back, at most."""
REMEDY = "Correct its permissions, or chat without --remember."

Names = tuple[str, str]
Stamp = tuple[int, int, int]
"""Of a file: its time (ns), its size in bytes, and which file it is."""


class Recalled(NamedTuple):
    """An exchange of an earlier chat that fits the present turns, and why."""

    turns: tuple[Turn, ...]
    chat: str
    """The name of the chat it is from."""
    when: datetime
    """When that chat was kept last (local time)."""
    score: float
    """In words that stand in no other exchange (see `search.Found`)."""
    words: tuple[str, ...]
    """The words it shares with the present turns, the rarest first."""


class _Kept(NamedTuple):
    """A chat as its file has it."""

    conversation: Conversation
    heard_by: frozenset[str]
    """Folded names."""
    when: datetime


@dataclass
class Memory:
    """What two people said in earlier chats.

    memory = Memory()
    memory.keep(Conversation(history, chat), ("Rick", "Morty"))
    for recalled in memory.recall(history, ("Rick", "Morty")):
        print(recalled.words, recalled.turns)
    """

    folder: Path = field(default_factory=lambda: user_state_path("wolf_chatbox") / "memory")
    tell: Tell = lambda text: None
    """Is told of files that are skipped, once each."""
    _files: dict[Path, tuple[Stamp, _Kept | None]] = field(default_factory=dict, repr=False)
    """What was read of each file, and its stamp then."""
    _indexes: dict[Names, tuple[tuple[Any, ...], Index]] = field(default_factory=dict, repr=False)

    def keep(self, conversation: Conversation, names: Names, heard_by: Collection[str] | None = None) -> None:
        """Keep a chat of two people as it is now; `conversation.group` names the chat, and replaces what it had.

        `heard_by` says who heard all of it: both, where it is not given. In a group chat, keep for each speaker what
        it heard, with `heard_by=[speaker]`. Raises CheckpointError when it cannot be written.
        """
        if not conversation.turns:
            return
        heard = sorted(map(folded, heard_by if heard_by is not None else names))
        path = self._of(names) / f"{_hashed(conversation.group, *heard)}.jsonl"
        form = conversation.to_dict() | {
            "between": list(names),
            "heard_by": heard,
            "kept": datetime.now().isoformat(),
        }
        with writing(path, REMEDY):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.parent.mkdir(exist_ok=True, mode=0o700)
        with new_file(path, overwrite=True, remedy=REMEDY, mode=0o600) as file:
            file.write(json.dumps(form, ensure_ascii=False) + "\n")
        self._shrink(path)

    def recall(
        self,
        turns: Sequence[Turn],
        names: Names,
        *,
        chat: str = "",
        room: int = ROOM,
        present: tuple[Recalled, ...] = (),
    ) -> tuple[Recalled, ...]:
        """The exchanges that fit the last of `turns`, oldest first: at most MOST_RECALLED, of `room` characters.

        `names` are who remembers, and with whom; only what the first of them heard is looked through. `turns` are those
        that the prompt holds: an exchange that is among them is not brought back; of the present `chat`, by its name,
        none that has a turn among them. So what left the prompt comes back too. `present` is what was recalled before.
        It is given back, the very same, where nothing else fits: another beginning of the prompt must be read again.
        """
        index = self._index(names)
        said = {_said(turn) for turn in turns}
        found: list[Recalled] = []
        for at, score, words in index.fitting(turns):
            each = index.exchanges[at]
            size = sum(len(turn.text) for turn in each.turns)
            there = [_said(turn) in said for turn in each.turns]
            if size <= room and not (any(there) if each.chat == chat else all(there)):
                found.append(Recalled(each.turns, each.chat, each.when, score, words))
                said |= {_said(turn) for turn in each.turns}
                room -= size
            if len(found) == MOST_RECALLED:
                break
        before = {each.turns for each in present}
        if all(each.turns in before for each in found):
            return present
        return tuple(sorted(found, key=lambda each: each.when))

    def forget(self, names: Names | None = None) -> int:
        """Forget all chats of two people, or of everybody; returns how many. Raises CheckpointError if it cannot."""
        folder = self._of(names) if names else self.folder
        with writing(folder, "Correct its permissions."):
            count = len(list(folder.rglob("*.jsonl")))
            remove(folder)
        return count

    def _of(self, names: Names) -> Path:
        """The folder of two people, in any order and spelling; it does not show their names."""
        return self.folder / _hashed(*sorted(map(folded, names)))

    def _index(self, names: Names) -> Index:
        """The exchanges that the first of two people heard, in the order of time."""
        folder = self._of(names)
        read = {path: self._read(path, stamp) for path, stamp in _stamps(folder).items()}
        key = tuple((path, self._files[path][0]) for path in sorted(read))
        if names not in self._indexes or self._indexes[names][0] != key:
            heard = [chat for chat in read.values() if chat and folded(names[0]) in chat.heard_by]
            pieces = [each for chat in heard for each in _exchanges(chat, names[0])]
            # Said word for word in several chats, such as in one that was continued, it counts once: the last time.
            latest = {each.turns: each for each in sorted(pieces, key=_time)}
            self._indexes[names] = key, Index(sorted(latest.values(), key=_time))
        return self._indexes[names][1]

    def _read(self, path: Path, stamp: Stamp) -> _Kept | None:
        """A chat that was kept; None, told once, where the file is damaged."""
        if path not in self._files or self._files[path][0] != stamp:
            try:
                kept = _parsed(path)
            except (OSError, UnicodeError, DataError) as error:
                kept = None
                if not isinstance(error, FileNotFoundError):  # another process has just forgotten it
                    self.tell(f"{path}: not a chat that was kept. It is skipped; delete it.")
            self._files[path] = stamp, kept
        return self._files[path][1]

    def _shrink(self, newest: Path) -> None:
        """Remove the oldest chats of a folder until it has room."""
        stamps = _stamps(newest.parent)
        size = sum(size for _, size, _ in stamps.values())
        for path in sorted(stamps, key=lambda path: stamps[path]):
            if size <= MOST_BYTES:
                break
            if path != newest:
                size -= stamps[path][1]
                with writing(path, REMEDY):
                    path.unlink(missing_ok=True)


def new_chat() -> str:
    """A name for a chat that no other has: its time, and chance."""
    return f"{datetime.now():%Y-%m-%dT%H-%M-%S}-{secrets.token_hex(4)}"


def _stamps(folder: Path) -> dict[Path, Stamp]:
    """The stamp of each chat in a folder."""
    stamps = {}
    for path in folder.glob("*.jsonl"):
        with suppress(OSError):  # forgotten meanwhile
            stat = path.stat()
            stamps[path] = stat.st_mtime_ns, stat.st_size, stat.st_ino
    return stamps


def _parsed(path: Path) -> _Kept:
    """Read a chat back; raises DataError, UnicodeError or OSError when it is none."""
    form = parse_json(path.read_text(encoding="utf-8"), str(path))
    conversation = Conversation.from_dict(form, str(path))
    "".join(turn.speaker + turn.text for turn in conversation.turns).encode()  # half a surrogate pair raises
    heard_by, kept = form.get("heard_by"), form.get("kept")
    if not (isinstance(heard_by, list) and all(isinstance(name, str) for name in heard_by) and isinstance(kept, str)):
        raise DataError(f"{path}: nobody heard it.")
    try:
        when = datetime.fromisoformat(kept).replace(tzinfo=None)
    except ValueError as error:
        raise DataError(f"{path}: {kept} is not a time.") from error
    return _Kept(conversation, frozenset(map(folded, heard_by)), when)


def _exchanges(chat: _Kept, speaker: str) -> Iterator[Exchange]:
    return exchanges(chat.conversation.turns, speaker, chat.conversation.group, chat.when)


def _time(exchange: Exchange) -> tuple[datetime, str]:
    return exchange.when, exchange.chat


def _said(turn: Turn) -> tuple[str, str]:
    return folded(turn.speaker), turn.text


def _hashed(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
