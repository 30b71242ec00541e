"""The chats of the terminal: each in a file of its own, beside those of the page, and the last one in the state folder.

The page finds them, and they are found from here: `find` searches both. A chat that an earlier version left as the last
one is put beside the others before it is replaced.
"""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_state_path

from wolf_chatbox.files import writing
from wolf_chatbox.talk.archive import Archive, Found, Kept
from wolf_chatbox.talk.saved import write_chat
from wolf_chatbox.talk.session import ChatSession
from wolf_chatbox.talk.state import read_state
from wolf_chatbox.talk.tree import Message


def last_chat() -> Path:
    """The file that a terminal chat is saved to after each reply."""
    return user_state_path("wolf_chatbox") / "last-chat.jsonl"


def last_state() -> Path:
    """The file of what the engine had read of that chat."""
    return last_chat().with_suffix(".state")


class Shelf:
    """Keeps a session's chat as it goes on; `home` is the folder of the page, `run` the name of the run that answers.

    Without a `home` only the last chat is kept.
    """

    def __init__(self, home: Path | None = None, run: str = "") -> None:
        self.archive = None if home is None else Archive(home.expanduser() / "chats")
        self.run = run
        self.hits: list[Found] = []
        """What the last search found."""
        self.kept = False
        """Whether a chat was kept."""
        self._id = ""
        self._written: tuple[Message, ...] = ()
        """What the file of the chat has, unless somebody else writes to it too."""

    def begin(self, kept: Kept | None = None) -> None:
        """Another chat begins, or one that is kept goes on."""
        self._id, self._written = (kept.id, kept.tree.messages) if kept else ("", ())

    def keep(self, session: ChatSession) -> None:
        """Keep the chat if it has changed; raises CheckpointError."""
        tree = session.tree
        if tree is session.saved or tree.greeted or not len(tree):
            return
        with writing(last_chat(), "Correct its permissions."):
            last_chat().parent.mkdir(parents=True, exist_ok=True)
        about = {"run": self.run, "persona": session.persona, "user": session.user}
        before = None
        if self.archive is not None:
            self._adopt(self.archive)
            before = self.archive.get(self._id) if self._id else None
            if not self._id or (before and before.tree.messages != self._written):  # the page goes on with it too
                self._id = self.archive.new_id()
        write_chat(tree, session.present, last_chat(), overwrite=True, about=about | {"id": self._id})
        session.saved, self.kept = tree, True
        if self.archive is not None:
            self.archive.keep(self._id, tree, session.present, about | (dict(before.about) if before else {}))
            self._written = tree.messages

    def _adopt(self, archive: Archive) -> None:
        """Put the last chat beside the others, if it stands nowhere else."""
        last = _last()
        if last is not None and len(last.tree) and not last.about.get("id") and not self._id:
            archive.keep(archive.new_id(), last.tree, last.present, last.about)

    def load_last(self, session: ChatSession) -> None:
        """Continue the last chat; raises ChatError as `load_history` does."""
        session.load_history(last_chat())
        read_state(session.voice.engine, last_state())
        last, kept = _last(), None
        if self.archive is not None and last is not None and last.about.get("id"):
            kept = self.archive.get(str(last.about["id"]))
        goes_on = kept is not None and last is not None and kept.tree.messages == last.tree.messages
        self.begin(kept if goes_on else None)
        if self.archive is not None and not goes_on:
            self._id = self.archive.new_id()

    def find(self, words: str) -> list[Found]:
        """The messages of all chats that have all of the words; `load` opens one by its place here."""
        self.hits = self.archive.find(words) if self.archive else []
        return self.hits

    def load(self, session: ChatSession, hit: Found) -> None:
        """Continue the chat of a message that was found, at the end of the message's branch; raises ChatError."""
        assert self.archive is not None, "nothing was found"
        session.load_history(self.archive.path(hit.kept.id))
        session.go(hit.number)
        session.saved = session.tree
        self.begin(self.archive.get(hit.kept.id))


def _last() -> Kept | None:
    """The last chat; None where there is none that can be read."""
    return Archive(last_chat().parent).get(last_chat().stem)
