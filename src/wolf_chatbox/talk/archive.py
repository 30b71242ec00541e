"""The chats that are kept in a folder, one file each, and the search for what was said in them."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from wolf_chatbox.conversation import Turn, parse_json
from wolf_chatbox.errors import ChatError, DataError
from wolf_chatbox.files import remove, writing
from wolf_chatbox.reread import Reread
from wolf_chatbox.talk.saved import read_chat, write_chat
from wolf_chatbox.talk.tree import Tree

LONGEST_ID = 100
MOST_FOUND = 50
AROUND = 40
"""Characters before a word that was found."""


class Kept(NamedTuple):
    """A chat of an archive."""

    id: str
    """The name of its file, without the ending."""
    when: datetime
    """When it was kept last (local time)."""
    about: Mapping[str, Any]
    """Which run answers (`run`), as whom (`persona`), to whom (`user`), and the `title` that somebody gave it."""
    tree: Tree
    present: tuple[str, ...]

    @property
    def turns(self) -> tuple[Turn, ...]:
        return self.tree.turns

    @property
    def title(self) -> str:
        """The title that was given, else how the chat begins."""
        return str(self.about.get("title") or "") or self.tree.title


class Found(NamedTuple):
    """A message that has all the words that are looked for."""

    kept: Kept
    number: int
    """The message's place in the tree; it may stand in a branch."""
    excerpt: str


@dataclass
class Archive:
    """The chats of a folder.

    archive = Archive(Path("~/wolf_chatbox/chats").expanduser())
    for found in archive.find("full moon"):
        print(found.kept.title, found.excerpt)
    """

    folder: Path
    _kept: Reread[Kept | None] = field(default_factory=lambda: Reread(_parse), repr=False)

    def path(self, id: str) -> Path:
        """The file of a chat; raises ChatError for what cannot be the name of one."""
        if not _is_id(id):
            raise ChatError(f"{id[:LONGEST_ID]}: no name of a kept chat. Choose one of the list.")
        return self.folder / f"{id}.jsonl"

    def new_id(self) -> str:
        return f"{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"

    def keep(self, id: str, tree: Tree, present: tuple[str, ...], about: Mapping[str, Any]) -> None:
        """Write a chat, readable by its owner only; raises CheckpointError when it cannot be written."""
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_chat(tree, present, self.path(id), overwrite=True, about=about)

    def add(self, content: bytes, name: str) -> str:
        """Keep a chat that comes as the content of a file; returns its id. `name` stands in errors.

        Raises ChatError where it is no saved chat, CheckpointError where it cannot be written.
        """
        with TemporaryDirectory() as folder:
            path = Path(folder, "chat.jsonl")
            path.write_bytes(content)
            kept = _parse(path)
        if kept is None or not kept.tree.messages:
            raise ChatError(f"{name}: not a saved chat. Give a file that /save or the page wrote.")
        id = self.new_id()
        self.keep(id, kept.tree, kept.present, kept.about)
        return id

    def get(self, id: str) -> Kept | None:
        """A chat; None where there is none, or where its file cannot be read."""
        return self._kept(self.path(id))

    def remove(self, id: str) -> None:
        remove(self.path(id))

    def all(self) -> list[Kept]:
        """All chats that can be read, the newest first."""
        files = [path for path in self.folder.glob("*.jsonl") if _is_id(path.stem)]
        self._kept.forget_others(files)
        kept = map(self._kept, files)
        return sorted((one for one in kept if one is not None), key=lambda one: one.when, reverse=True)

    def find(self, words: str) -> list[Found]:
        """The messages that have all of the words, whatever their case and width; the newest chat first."""
        wanted = plain(words).split()
        return list(self._find(wanted))[:MOST_FOUND] if wanted else []

    def _find(self, wanted: list[str]) -> Iterator[Found]:
        for kept in self.all():
            title = plain(str(kept.about.get("title") or ""))
            for number, message in enumerate(kept.tree.messages):
                text = plain(message.text)
                said = f"{plain(message.speaker)} {text} {title}"
                if any(word in text for word in wanted) and all(word in said for word in wanted):
                    first = min(at for word in wanted if (at := text.find(word)) >= 0)
                    # Folding may change the length: the place is then nearly the same.
                    yield Found(kept, number, _excerpt(message.text, first * len(message.text) // len(text)))


def _is_id(id: str) -> bool:
    """Whether a text can name a chat's file, and no other one."""
    return 0 < len(id) <= LONGEST_ID and all(sign.isascii() and (sign.isalnum() or sign in "-_") for sign in id)


def _parse(path: Path) -> Kept | None:
    try:
        when = datetime.fromtimestamp(path.stat().st_mtime)
        tree, present = read_chat(path)
        with path.open(encoding="utf-8") as file:
            about = parse_json(file.readline(), str(path)).get("about", {})
    except (ChatError, DataError, OSError, AttributeError):
        return None
    about = about if isinstance(about, dict) else {}
    return Kept(path.stem, when, about, tree, present)


def plain(text: str) -> str:
    """A text without differences of case and width, for a search."""
    return unicodedata.normalize("NFKC", text).casefold()


def _excerpt(text: str, at: int, most: int = 160) -> str:
    first = max(0, at - AROUND)
    shown = " ".join(text[first : first + most].split())
    return ("…" if first else "") + shown + ("…" if first + most < len(text) else "")
