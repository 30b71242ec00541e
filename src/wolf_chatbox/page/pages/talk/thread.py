"""The thread: the last messages of a chat, each in its place, changed only where something has changed."""

from __future__ import annotations

from nicegui import ui

from wolf_chatbox.page.pages.talk.acts import Acts
from wolf_chatbox.page.pages.talk.message import Row
from wolf_chatbox.page.pages.talk.transcript import Line, Transcript
from wolf_chatbox.page.parts import avatar, icon_button
from wolf_chatbox.words import Words

SHOWN = 60
"""Messages that are shown at first, and that are added at a time."""


class Thread:
    """Shows the lines of a transcript; `show` is called after every change."""

    def __init__(self, transcript: Transcript, acts: Acts, words: Words) -> None:
        self.transcript, self._acts, self._words = transcript, acts, words
        self._rows: list[Row] = []
        self._first = 0
        """The place of the first message that is shown."""
        self._build()

    def _build(self) -> None:
        words = self._words
        with ui.element("div").classes("thread-place"):
            # Its children stand in reverse order, so the browser itself stays at the end, and where one reads.
            with ui.element("div").classes("thread").props("tabindex=0 role=log aria-live=polite") as self.root:
                self.root.props["aria-label"] = words("talk.thread")
                with ui.element("div").classes("thread-inner"):
                    self._earlier = ui.button(words("talk.earlier"), on_click=self.show_earlier)
                    self._earlier.props("flat").classes("thread-earlier")
                    self._empty = ui.element("div").classes("thread-empty")
                    self._list = ui.element("div").classes("thread-list")
                    self._forward = ui.button(words("talk.forward"), icon="redo", on_click=self._acts.forward)
                    self._forward.props("flat").classes("thread-forward")
            down = icon_button("arrow_downward", words("talk.down")).classes("thread-down")
            down.on("click", js_handler="() => talk.down()")

    def show(self) -> None:
        """Show what the room holds now."""
        lines = self.transcript.lines()
        if not self._rows or self._first >= len(lines):
            self._first = max(0, len(lines) - SHOWN)
        self._earlier.set_visibility(self._first > 0)
        self._forward.set_visibility(self.transcript.goes_on)
        self._show_empty(not lines)
        self.root.props["aria-busy"] = str(self.transcript.room.drawing is not None).lower()
        shown = lines[self._first :]
        for at, line in enumerate(shown):
            if at < len(self._rows) and not self._rows[at].fits(line):
                self._cut(at)
            if at < len(self._rows):
                self._rows[at].show(line)
            else:
                with self._list:
                    self._rows.append(Row(line, self._acts, self._words))
        self._cut(len(shown))

    def show_earlier(self) -> None:
        """Show more of what was said before."""
        self._reach(max(0, self._first - SHOWN))

    def reach(self, number: int) -> None:
        """Let a message of the path be among those that are shown."""
        places = [line.number for line in self.transcript.lines()]
        if number in places and places.index(number) < self._first:
            self._reach(max(0, places.index(number) - SHOWN // 4))

    def row(self, number: int) -> Row | None:
        return next((row for row in self._rows if row.line.number == number), None)

    def _reach(self, first: int) -> None:
        before: list[Line] = self.transcript.lines()[first : self._first]
        for at, line in enumerate(before):
            with self._list:
                row = Row(line, self._acts, self._words)
            row.root.move(target_index=at)
            self._rows.insert(at, row)
        self._first = first
        self._earlier.set_visibility(first > 0)

    def _cut(self, at: int) -> None:
        """Remove the rows from a place on."""
        for row in self._rows[at:]:
            row.leave()
            row.root.delete()
        del self._rows[at:]

    def _show_empty(self, empty: bool) -> None:
        """What stands there before anybody has said anything."""
        self._empty.set_visibility(empty)
        room = self.transcript.room
        if not empty or self._empty.default_slot.children:
            return
        with self._empty:
            avatar(room.persona)
            ui.label(room.persona).classes("title")
            ui.label(self._words("talk.empty", name=room.persona)).classes("quiet")
            button = ui.button(self._words("talk.begin", name=room.persona), on_click=lambda: self._acts.speak())
            button.props("outline").classes("thread-begin")
