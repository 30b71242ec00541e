"""Where a message is written: the field, whom it is for, and one button that sends, or stops a reply."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Any

from nicegui import ui

from wolf_chatbox.page.pages.talk.acts import Acts
from wolf_chatbox.page.parts import icon_button, listed, menu_act, menu_of
from wolf_chatbox.page.room import Room
from wolf_chatbox.words import Words

AT = re.compile(r"(?:^|\s)@(\S*)$")
"""A name that is being typed."""
NAMES_SHOWN = 6


class Composer:
    """The field at the foot of a chat; `show` follows the room."""

    def __init__(self, room: Room, acts: Acts, words: Words) -> None:
        self.room, self._acts, self._words = room, acts, words
        self._to: str | None = None
        """Who is asked; None leaves it to the chat."""
        self._whispers = False
        self._own = False
        """Whether this browser waits for the model to write in the person's place."""
        self._present: tuple[str, ...] = ()
        self.open = True
        """Whether the chat can be answered."""
        self._build()

    def _build(self) -> None:
        words = self._words
        with ui.element("div").classes("composer"):
            self._names = ui.element("div").classes("composer-names").props("role=listbox")
            with ui.element("div").classes("composer-box"):
                self._recipient = ui.button(color=None).props("flat aria-haspopup=menu").classes("composer-to")
                self._recipient.props["aria-label"] = words("talk.to.label")
                self._recipient.set_visibility(False)
                self.field = ui.textarea(on_change=self._typed).classes("composer-field")
                self.field.props("autogrow borderless dense enterkeyhint=send maxlength=200000")
                self.field.props["aria-label"] = words("talk.field")
                self._model = icon_button("auto_awesome", words("talk.model_writes"), self._open_model)
                self._model.props["aria-haspopup"] = "menu"
                self._send = icon_button("arrow_upward", words("talk.send")).classes("composer-send")
                self._send.on("click", js_handler="() => talk.press()")
            with ui.element("div").classes("composer-line"):
                self._line = ui.label().classes("quiet small composer-doing").props("role=status")
                self._hint = ui.label(words("talk.hint")).classes("quiet small composer-hint")
                self._problem = ui.label().classes("composer-problem").props("role=alert")

    @property
    def text(self) -> str:
        return str(self.field.value or "")

    def problem(self, text: str) -> None:
        """Show an error as a line under the field; none with an empty text."""
        self._problem.set_text(text)
        self._show_hint()

    def show(self) -> None:
        """Show whom a message would be for, and whether it can be sent."""
        room, words, drawing = self.room, self._words, self.room.drawing
        if room.present != self._present:
            self._present = room.present
            if self._to not in room.present:
                self._to, self._whispers = None, False
            self._show_recipient()
        if drawing is not None and drawing.own and self._own:
            self.field.set_value(drawing.text)
        self.field.props["placeholder"] = words("talk.placeholder", name=self._whom())
        stops = drawing is not None
        self._send.props["icon"] = "stop" if stops else "arrow_upward"
        self._send.classes(add="stops" if stops else "", remove="" if stops else "stops")
        self._send.props["aria-label"] = self._send.props["title"] = words("talk.stop" if stops else "talk.send")
        self._send.set_enabled(stops or (self.open and bool(self.text.strip())))
        self._model.set_enabled(self.open and not stops)
        self.field.set_enabled(self.open)
        self._line.set_text(self._doing() if stops else "")
        self._show_hint()

    def _show_hint(self) -> None:
        """The keys, where nothing else is to be said."""
        self._hint.set_visibility(self.room.drawing is None and not self._problem.text)

    def _doing(self) -> str:
        drawing = self.room.drawing
        assert drawing is not None
        if self.room.session is None:
            return self._words("talk.waking", name=self.room.persona)
        name = drawing.speaker or self.room.persona
        return self._words("talk.writing", name=name)

    # Sending.

    async def send(self, text: str) -> None:
        """Say what was in the field; it comes back where that fails."""
        client = ui.context.client
        client.run_javascript("talk.down()")
        said = await self._acts.send(text, self._to, whispers=self._whispers)
        if client.is_deleted:
            return  # the draft waits in the browser if it was not said
        if said:
            client.run_javascript(f"talk.forget({json.dumps(text)})")
        else:
            self.fill(text)

    def _open_model(self) -> None:
        """Offer what the model can write without a message."""
        words = self._words
        with self._model, menu_of() as menu:
            menu_act("edit_note", words("talk.impersonate"), self._impersonate)
            for name in self.room.present or (None,):
                text = words("talk.people.speak", name=name or self.room.persona)
                menu_act("record_voice_over", text, partial(self._acts.speak, name))
        menu.on("hide", menu.delete)
        menu.open()

    async def _impersonate(self) -> None:
        before, self._own = self.text, True
        try:
            written = await self._acts.impersonate()
        finally:
            self._own = False
        self.field.set_value(written or before)
        ui.run_javascript("talk.focus()")

    def say_busy(self) -> None:
        """Say why nothing can be sent now."""
        self.problem(self._words("talk.busy"))

    def fill(self, text: str) -> None:
        """Put a text into an empty field."""
        if not self.text:
            problem = self._problem.text
            self.field.set_value(text)
            self.problem(problem)

    # Whom it is for, and names after an @.

    def _whom(self) -> str:
        return self._to or listed(self._words, self.room.present) or self.room.persona

    def _show_recipient(self) -> None:
        """The choice of whom a message is for, where there are several."""
        words, names = self._words, self.room.present
        self._recipient.set_visibility(len(names) > 1)
        self._recipient.clear()
        with self._recipient:
            ui.icon("lock" if self._whispers else "alternate_email").props("aria-hidden=true")
            ui.label(self._to or words("talk.to.all"))
            with menu_of(opens=True):
                self._choice(words("talk.to.all"), None, False)
                for name in names:
                    self._choice(words("talk.to.ask", name=name), name, False)
                for name in names:
                    self._choice(words("talk.to.whisper", name=name), name, True)

    def _choice(self, text: str, to: str | None, whispers: bool) -> None:
        def choose() -> None:
            self._to, self._whispers = to, whispers
            self._show_recipient()
            self.show()

        menu_act("lock" if whispers else "alternate_email", text, choose)

    def _typed(self, _: Any) -> None:
        if self._problem.text and self.text:
            self.problem("")
        self._send.set_enabled(self.room.drawing is not None or (self.open and bool(self.text.strip())))
        found = self._fitting()
        self._names.clear()
        with self._names:
            for name in found:
                ui.button(name, on_click=partial(self.complete, name), color=None).props("flat dense role=option")

    def _fitting(self) -> list[str]:
        """Those present whose name begins as what is typed after an @."""
        typed = AT.search(self.text)
        if typed is None or len(self.room.present) < 2:
            return []
        begun = typed[1].casefold()
        return [name for name in self.room.present if name.casefold().startswith(begun)][:NAMES_SHOWN]

    def complete(self, name: str | None = None) -> None:
        """Write out a name that was begun: the given one, or the first that fits."""
        found, typed = self._fitting(), AT.search(self.text)
        if found and typed:
            self.field.set_value(f"{self.text[: typed.start(1)]}{name or found[0]} ")
            ui.run_javascript("talk.focus()")
