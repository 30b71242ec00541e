"""Commands that ask for no reply: where the chat is, who is there, its files, and how this program behaves."""

from __future__ import annotations

from pathlib import Path

from rich.cells import cell_len

from wolf_chatbox.errors import ChatError
from wolf_chatbox.files import check_place, new_file
from wolf_chatbox.talk.face import Face
from wolf_chatbox.talk.listing import branches, company, described, one_line
from wolf_chatbox.talk.markdown import to_markdown
from wolf_chatbox.talk.memory import Memory
from wolf_chatbox.talk.menu import menu
from wolf_chatbox.talk.recollection import Recollection
from wolf_chatbox.talk.saved import write_chat
from wolf_chatbox.talk.session import ChatSession
from wolf_chatbox.talk.shelf import Shelf, last_chat
from wolf_chatbox.talk.tuning import change
from wolf_chatbox.talk.watch import Watch
from wolf_chatbox.talk.why import why
from wolf_chatbox.words import DEFAULT, Words, languages, words_of

NAMES_SHOWN = 12
MESSAGES_SHOWN = 6


class Orders:
    """Carries out commands for a session; what it says goes to `face`, in `words`."""

    def __init__(self, session: ChatSession, face: Face, words: Words | None, shelf: Shelf, watch: Watch) -> None:
        self.session = session
        self.face = face
        self.words = words or words_of(DEFAULT)
        self.shelf = shelf
        self.watch = watch

    def carry_out(self, command: str, rest: str) -> None:
        """Carry out a command; raises WolfChatboxError for what cannot be done."""
        match command:
            case "/help":
                self._help()
            case "/why":
                self.face.show(list(why(self.session, self.words)))
            case "/undo" | "/back" | "/go" | "/branch" | "/branches":
                self._move(command, rest)
            case "/persona" | "/invite" | "/dismiss":
                self._cast(command, rest)
            case "/search":
                self._search(rest)
            case "/load":
                self._load(rest)
            case "/save" | "/save!" | "/export" | "/export!":
                self._write(command, rest)
            case "/set":
                self.face.tell(change(self.session, rest, self.words))
            case "/time":
                self._time(rest)
            case "/lang":
                self._language(rest)
            case "/reset":
                self.session.reset()
                self.shelf.begin()
                self._say("new")
                self._greet()
            case "/forget":
                self._forget()
            case _:
                raise self._wrong("no_command", command=command)

    def _say(self, key: str, **values: object) -> None:
        self.face.tell(self.words(f"terminal.{key}", **values))

    def _wrong(self, key: str, **values: object) -> ChatError:
        return ChatError(self.words(f"terminal.errors.{key}", **values))

    def _help(self) -> None:
        groups = list(menu(self.words))
        column = max(cell_len(usage) for _, rows in groups for usage, _ in rows)
        for title, rows in groups:
            self.face.table(title, rows, column)
        self._say("slashes")
        self._say("lines")

    def _greet(self) -> None:
        """Let a new chat begin with a greeting, where somebody sees it."""
        if self.face.asks and (greeting := self.session.greet()):
            self.face.say(greeting.speaker, greeting.text)

    # Where the chat is, and who is there.

    def _move(self, command: str, rest: str) -> None:
        session = self.session
        count = self._count(command, rest)
        match command, count:
            case "/undo", None:
                self._say("back", text=session.undo().text)
                return
            case "/undo" | "/back", int():
                session.back(count)
            case "/go", _:
                session.go(None if count is None else count - 1)
            case "/branch", int():
                session.tree = session.tree.go(session.tree.known(count - 1))
            case _:
                self.face.show(list(branches(session.tree)) or [self.words("terminal.nothing")])
                return
        if session.tree.last is None:
            self._say("beginning")
        else:
            self.face.tell(described(session.tree, session.tree.at))
        if command == "/branch":
            self._say("branch")

    def _count(self, command: str, rest: str) -> int | None:
        if rest and not rest.isdecimal():
            raise self._wrong("count", command=command, given=rest)
        return int(rest) if rest else None

    def _cast(self, command: str, rest: str) -> None:
        session = self.session
        if command == "/persona":
            if rest:
                session.become(rest)
        elif not rest:
            raise self._wrong("give_name", command=command)
        elif command == "/invite":
            session.invite(rest)
        else:
            session.dismiss(rest)
        told = self.words("terminal.company", who=company(session, self.words), user=one_line(session.user))
        if command == "/persona" and not rest:
            told = self.words("terminal.both", one=told, other=self._others())
        self.face.tell(told)

    def _others(self) -> str:
        """Who else can answer, as a sentence."""
        others = [one_line(name) for name in self.session.speakers if name not in self.session.present]
        if self.session.voice.renderer.style.name != "named":
            return self.words("terminal.no_others")
        if not others:
            return self.words("terminal.unknown")
        names = self.words("terminal.comma").join(others[:NAMES_SHOWN])
        if (more := len(others) - NAMES_SHOWN) > 0:
            names = self.words("terminal.more", names=names, rest=more)
        return self.words("terminal.others", names=names)

    # Files.

    def _search(self, rest: str) -> None:
        if not rest:
            raise self._wrong("give_words")
        if self.shelf.archive is None:
            raise self._wrong("no_archive")
        hits = self.shelf.find(rest)
        if not hits:
            self._say("found_none", words=rest)
            return
        rows = []
        for number, hit in enumerate(hits, 1):
            speaker = hit.kept.tree.messages[hit.number].speaker
            rows.append((str(number), f"{hit.kept.when:%Y-%m-%d} {one_line(speaker)}: {hit.excerpt}"))
        self.face.table(self.words("terminal.found", count=len(hits)), rows)

    def _load(self, rest: str) -> None:
        session, shelf = self.session, self.shelf
        if rest.isdecimal() and not Path(rest).exists():
            if not 0 < int(rest) <= len(shelf.hits):
                raise self._wrong("no_hit", count=len(shelf.hits), number=rest)
            shelf.load(session, shelf.hits[int(rest) - 1])
        elif rest:
            session.load_history(Path(rest).expanduser())
            shelf.begin()
        elif last_chat().exists():
            shelf.load_last(session)
        else:
            raise self._wrong("no_chat")
        said = session.history[-MESSAGES_SHOWN:]
        self.face.tell("\n".join(f"{one_line(turn.speaker)}: {turn.text}" for turn in said))

    def _write(self, command: str, rest: str) -> None:
        if not rest:
            raise self._wrong("give_file", command=command)
        session, path = self.session, Path(rest).expanduser()
        name, overwrite = command.removesuffix("!"), command.endswith("!")
        if name == "/export" and path.suffix not in (".md", ".jsonl"):
            raise self._wrong("ending", file=rest)
        check_place(path, overwrite=overwrite, remedy=self.words("terminal.errors.exists", command=name))
        if name == "/save":
            session.save(path, overwrite=overwrite)
            self._say("file", file=rest)
            return
        if path.suffix == ".md":
            with new_file(path, overwrite=overwrite, mode=0o600) as file:
                file.write(to_markdown(session.tree, company(session, self.words)))
        else:
            write_chat(session.tree, session.present, path, overwrite=overwrite)
        self._say("exported", file=rest)

    def _forget(self) -> None:
        session = self.session
        recollection = session.recollection or Recollection(Memory())
        count = recollection.forget(session.present, session.user)
        session.recollection = None
        self._say("forgotten", count=count, who=company(session, self.words))

    # This program.

    def _time(self, rest: str) -> None:
        if rest not in ("", "on", "off"):
            raise self._wrong("switch", command="/time", given=rest)
        self.watch.on = rest == "on" if rest else not self.watch.on
        self._say("time_on" if self.watch.on else "time_off")

    def _language(self, rest: str) -> None:
        known = languages()
        if rest:
            if rest.lower() not in known:
                raise self._wrong("language", given=rest, names=self.words("terminal.comma").join(known))
            self.words = words_of(rest.lower())
        self._say("speaking")
