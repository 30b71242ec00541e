"""One message of a thread: its bubble, what can be done with it, and its text while it is edited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nicegui import ui

from wolf_chatbox.page.pages.talk.transcript import Line
from wolf_chatbox.page.parts import avatar, icon_button, listed, menu_act, menu_of
from wolf_chatbox.words import Words

if TYPE_CHECKING:
    from wolf_chatbox.page.pages.talk.acts import Acts


class Swipe:
    """The arrows between what was said in one place."""

    def __init__(self, row: Row, acts: Acts, words: Words) -> None:
        with ui.element("div").classes("turn-swipe") as self._root:
            self._before = icon_button("chevron_left", words("talk.before"), lambda: acts.swipe(row.number, -1))
            self._place = ui.label().classes("small")
            self._after = icon_button("chevron_right", words("talk.after"), lambda: acts.swipe(row.number, 1))
        self._root.move(target_index=0)

    def show(self, line: Line) -> None:
        self._root.set_visibility(line.of > 1)
        self._place.set_text(f"{line.place + 1}/{line.of}")
        self._before.set_enabled(line.place > 0)
        self._after.set_enabled(line.place + 1 < line.of)


class Row:
    """The elements of a message; `show` changes what has changed, and nothing else."""

    def __init__(self, line: Line, acts: Acts, words: Words) -> None:
        self.line, self._acts, self._words = line, acts, words
        self._editing: ui.element | None = None
        with ui.element("div").classes("said turn" + (" mine" if line.mine else "")).props("role=group") as self.root:
            if not line.mine:
                avatar(line.speaker, small=True)
            with ui.element("div").classes("turn-body"):
                with ui.element("div").classes("said-body") as self._bubble:
                    self._name = ui.label(line.speaker).classes("said-name")
                    self._whisper = ui.label().classes("turn-whisper") if line.whispered else None
                    self._text = ui.label(line.text).classes("said-text").props("dir=auto")
                with ui.element("div").classes("turn-actions") as self._actions:
                    self._build_actions(line)
        self._apply(line)

    def fits(self, line: Line) -> bool:
        """Whether these elements can show another message: only what differs is changed then."""
        same = (self.line.speaker, self.line.mine) == (line.speaker, line.mine)
        same = same and bool(self.line.whispered) == bool(line.whispered)
        return same and (self._editing is None or self.line.number == line.number)

    def show(self, line: Line) -> None:
        if line != self.line:
            self.line = line
            self._apply(line)

    def _apply(self, line: Line) -> None:
        words = self._words
        self.root.props["aria-label"] = line.speaker
        self.root.props["data-number"] = "" if line.number is None else str(line.number)
        self._text.set_text(line.text)
        self._text.classes(add="growing" if line.growing else "", remove="" if line.growing else "growing")
        self._bubble.classes(add="cut" if line.cut else "", remove="" if line.cut else "cut")
        if self._whisper:
            self._whisper.set_text(words("talk.whispered", names=listed(words, line.whispered)))
        self._actions.set_visibility(line.number is not None)
        self._show_place(line)
        self._retry.set_visibility(line.reply)
        self.root.classes(add="last" if line.last else "", remove="" if line.last else "last")

    def _build_actions(self, line: Line) -> None:
        words, acts = self._words, self._acts
        self._swipe: Swipe | None = None
        self._retry = icon_button("refresh", words("talk.retry"), lambda: acts.retry(self.number)).classes("turn-quick")
        icon_button("edit", words("talk.edit"), lambda: self.edit()).classes("turn-quick")
        icon_button("content_copy", words("talk.copy"), lambda: acts.copy(self.number)).classes("turn-quick")
        self._more = icon_button("more_horiz", words("talk.more_actions"), self._open_menu)
        self._more.props["aria-haspopup"] = "menu"

    def _show_place(self, line: Line) -> None:
        """Which of several this one is; most messages are alone in their place, and have no arrows."""
        if self._swipe is None and line.of > 1:
            with self._actions:
                self._swipe = Swipe(self, self._acts, self._words)
        if self._swipe is not None:
            self._swipe.show(line)

    @property
    def number(self) -> int:
        assert self.line.number is not None, "it has no actions yet"
        return self.line.number

    def _open_menu(self) -> None:
        """Show what can be done; the menu is made when it is asked for, as a thread has many messages."""
        words, acts, number = self._words, self._acts, self.number
        with self._more, menu_of() as menu:
            if self.line.reply:
                menu_act("refresh", words("talk.retry"), lambda: acts.retry(number))
                menu_act("arrow_forward", words("talk.continue"), lambda: acts.go_on(number))
                menu_act("psychology_alt", words("talk.why.title"), lambda: acts.why(number))
            menu_act("edit", words("talk.edit"), lambda: self.edit())
            menu_act("content_copy", words("talk.copy"), lambda: acts.copy(number))
            menu_act("undo", words("talk.back_here"), lambda: acts.back(number))
            heard = listed(words, sorted(acts.room.tree.messages[number].heard))
            ui.label(words("talk.heard", names=heard)).classes("menu-note")
        menu.on("hide", menu.delete)
        menu.open()

    # Editing.

    def edit(self, text: str | None = None) -> None:
        """Let the person change the text in its place; `text` is what was typed before, if it could not be sent."""
        if self._editing is not None or self.line.number is None:
            return
        words = self._words
        self._acts.editing = self
        self._text.set_visibility(False)
        with self._bubble, ui.element("div").classes("turn-edit") as self._editing:
            shown = self._acts.room.tree.messages[self.number].text if text is None else text
            field = ui.textarea(value=shown).props("autogrow borderless dense autofocus")
            field.props["aria-label"] = words("talk.edit")
            with ui.element("div").classes("turn-edit-buttons"):
                ui.button(words("parts.cancel"), on_click=self.leave).props("flat dense")
                save = words("talk.send" if self.line.mine else "talk.save")
                ui.button(save, on_click=lambda: self.save(str(field.value))).props("unelevated dense")
        self.root.classes(add="editing")

    async def save(self, text: str) -> None:
        """Put the edited text in place, and have a message of the person answered anew."""
        await self._acts.edit(self, text)

    def leave(self) -> None:
        """End editing, with the text as it was."""
        if self._editing is not None:
            self._editing.delete()
            self._editing = None
            self._text.set_visibility(True)
            self.root.classes(remove="editing")
            if self._acts.editing is self:
                self._acts.editing = None
