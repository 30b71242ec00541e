"""One browser's view of a chat: the column of chats, the thread, the composer, and what the keys mean."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from nicegui import background_tasks, ui
from nicegui.events import GenericEventArguments

from wolf_chatbox.errors import WolfChatboxError
from wolf_chatbox.page.desk import Desk
from wolf_chatbox.page.pages.talk.acts import Acts, last_own, last_reply
from wolf_chatbox.page.pages.talk.bar import Bar
from wolf_chatbox.page.pages.talk.chats import Chats
from wolf_chatbox.page.pages.talk.composer import Composer
from wolf_chatbox.page.pages.talk.explaining import explain
from wolf_chatbox.page.pages.talk.people import People
from wolf_chatbox.page.pages.talk.sheet import sheet
from wolf_chatbox.page.pages.talk.thread import Thread
from wolf_chatbox.page.pages.talk.transcript import Transcript
from wolf_chatbox.page.pages.talk.tuning import Tuning
from wolf_chatbox.page.room import Room
from wolf_chatbox.talk.server.refusals import Refusal
from wolf_chatbox.words import Words

KEYS = {
    "send": "Enter",
    "line": "Shift + Enter",
    "stop": "Esc",
    "rewrite": "↑",
    "again": "Alt + R",
    "swipe": "Alt + ← →",
    "complete": "Tab",
    "keys": "F1 · ?",
}
"""The keys by what they do; static/talk.js tells them apart."""


class Talk:
    """A page that shows a room; it listens to the room until its browser is gone."""

    def __init__(self, desk: Desk, room: Room, words: Words) -> None:
        self.desk, self.room, self.words = desk, room, words
        self.client = ui.context.client
        self.acts = Acts(room, self._problem, self.show, self._explain)
        self._listed = (room.title, room.kept)
        """What the column of chats shows of this one."""

    def build(self, at: int) -> None:
        """Build the page; `at` is a message to begin at."""
        room, words = self.room, self.words
        with ui.element("div").classes("talk") as self.root:
            self.chats = Chats(self.desk, words, room.id, room.run)
            with ui.element("section").classes("talk-chat"):
                people, tuning = People(room, self.acts, words), Tuning(room, self.acts, words)
                self.bar = Bar(
                    room,
                    self.chats,
                    words,
                    people=lambda: people.open(self.root),
                    tuning=lambda: tuning.open(self.root),
                    keys=self.show_keys,
                )
                self.thread = Thread(Transcript(room), self.acts, words)
                self._note = ui.element("div").classes("talk-note")
                self.composer = Composer(room, self.acts, words)
        ui.on("talk", self._on_key)
        room.listeners.add(self.show)
        self.client.on_delete(lambda: self.desk.rooms.leave(room, self.show))
        self.client.on_connect(lambda: self.client.run_javascript("talk.focus(); talk.restore()"))
        self.show()
        self._wake()
        if at >= 0:
            self._start(self._find(at), "message that was found")

    def show(self) -> None:
        """Show the room as it is now."""
        if self.room.removed and self.composer.open:
            self._show_removed()
        self.thread.show()
        self.composer.show()
        self.bar.show()
        listed = (self.room.title, self.room.kept)
        if listed != self._listed:
            if not self._listed[1]:
                self.client.run_javascript("talk.settle()")  # it is kept now: its address alone opens it
            self._listed = listed
            self.chats.refresh()

    def _problem(self, text: str) -> None:
        if not self.client.is_deleted:
            self.composer.problem(text)

    async def _explain(self, number: int) -> None:
        await self.acts.attempt(explain(self.room, number, self.root, self.words))

    def _start(self, deed: Coroutine[Any, Any, object], name: str) -> None:
        background_tasks.create(deed, name=name, context=self.root)

    # The character.

    def _wake(self) -> None:
        """Load the character, or say that it is gone."""
        self._note.clear()
        gone = self.desk.characters.find(self.room.run) is None
        self.composer.open = not gone
        self.composer.show()
        if gone:
            self._show_gone()
        else:
            self._start(self._load(), "character")

    async def _load(self) -> None:
        try:
            await self.room.ready()
        except (WolfChatboxError, Refusal, OSError) as error:
            with self._note, ui.element("div").classes("note bad").props("role=alert"):
                ui.label(str(error))
                ui.button(self.words("talk.again"), on_click=self._wake).props("flat dense")
        self.show()

    def _show_removed(self) -> None:
        """Somebody has removed the chat, in another window perhaps; what is typed stays."""
        self.composer.open = False
        self._note.clear()
        with self._note, ui.element("div").classes("note bad").props("role=alert"):
            ui.label(self.words("talk.removed"))

    def _show_gone(self) -> None:
        """A chat whose run is not there can be read, and handed to another character."""
        words, runs = self.words, self.desk.characters.all()
        with self._note, ui.element("div").classes("note"):
            ui.label(words("talk.gone", name=self.room.persona, run=self.room.run or "?"))
            if runs:
                names = {run.name: f"{run.who} ({run.name})" for run in runs}
                choice = ui.select(names, label=words("talk.go_on_with"), on_change=lambda event: hand(event.value))
                choice.props("outlined dense").classes("sheet-select")

        async def hand(run: str) -> None:
            if await self.acts.attempt(self.room.hand_over(run)):
                self._wake()

    # Where the page is, and what is typed.

    async def _find(self, number: int) -> None:
        """Go to a message's branch, and there."""
        tree = self.room.tree
        if number < len(tree) and number not in tree.path() and not await self.acts.attempt(self.room.go(number)):
            return
        self.thread.show()
        self.thread.reach(number)
        await self.client.connected()
        self.client.run_javascript(f"setTimeout(() => talk.find({number}), 150); talk.settle()")

    def _restore(self, draft: str) -> None:
        """Put a draft of this chat back, if it was not said."""
        own = last_own(self.room)
        drawing = self.room.drawing
        said = own is not None and self.room.tree.messages[own].text == draft.strip()
        if not said and not (drawing and drawing.asked == draft):
            self.composer.fill(draft)

    # Keys.

    async def _on_key(self, event: GenericEventArguments) -> None:
        key, text = str(event.args.get("key")), str(event.args.get("text") or "")
        editing, acts = self.acts.editing, self.acts
        if key == "save" and editing is not None:
            await editing.save(text)
        elif key == "cancel" and editing is not None:
            editing.leave()
            self.client.run_javascript("talk.focus()")
        elif key == "send":
            await self.composer.send(text)
        elif key == "draft":
            self._restore(text)
        elif key == "busy":
            self.composer.say_busy()
        elif key == "complete":
            self.composer.complete()
        elif key == "stop":
            self.room.stop()
            self.client.run_javascript("document.body.classList.remove('chats-open')")
        elif key == "keys":
            self.show_keys()
        elif key == "rewrite":
            own = last_own(self.room)
            if own is not None and (row := self.thread.row(own)):
                row.edit()
        elif key in ("again", "before", "after"):
            await acts.attempt(self._alternative(key))

    async def _alternative(self, key: str) -> None:
        """Draw the last reply again, or show another one in its place."""
        number = last_reply(self.room)
        if key == "again":
            await self.acts.retry(number)
        else:
            await self.acts.swipe(number, -1 if key == "before" else 1)

    def show_keys(self) -> None:
        """List the keys."""
        words = self.words
        with sheet(self.root, words, words("talk.keys.title")):
            for name, key in KEYS.items():
                with ui.element("div").classes("sheet-row"):
                    ui.label(words(f"talk.keys.{name}")).classes("sheet-grow")
                    ui.label(key).classes("key")
