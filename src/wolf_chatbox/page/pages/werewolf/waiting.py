"""A table before the game: who sits there, the links for others, and the start."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nicegui import ui

from wolf_chatbox.errors import ChatError, WolfChatboxError
from wolf_chatbox.page.frame import tell
from wolf_chatbox.page.pages.werewolf.board import role_name
from wolf_chatbox.page.parts import avatar, icon_button
from wolf_chatbox.page.table import Chair, Table
from wolf_chatbox.play.seating import LONGEST_NAME, names_for
from wolf_chatbox.words import Words

if TYPE_CHECKING:
    from wolf_chatbox.page.pages.werewolf import Links


class Waiting:
    """What one browser sees of a table before the game."""

    def __init__(self, words: Words, table: Table, chair: Chair | None, links: Links) -> None:
        self.words, self.table, self.chair, self.links = words, table, chair, links
        with ui.element("div").classes("ww-waiting"):
            ui.label(words("werewolf_page.set")).classes("title").props("role=heading aria-level=1")
            ui.label(self._about()).classes("quiet")
            if chair is not None and not chair.name:
                self._ask_name(chair)
            with ui.element("section").classes("card ww-chairs"):
                self.seats()
                if not links.guest:
                    self._build_hosting()
                else:
                    ui.label(words("werewolf_page.host_starts")).classes("quiet")
            if not links.guest:
                self._build_links()
            self._rules()
        self._shown = self._state()

    def show(self) -> None:
        """Show who sits there now; what is there to be pressed stays as it is."""
        if self._state() != self._shown:
            self._shown = self._state()
            self.seats.refresh()
            if not self.links.guest:
                self._invite.set_visibility(len(self.table.chairs) < self.table.plan.table.players)

    def _state(self) -> object:
        return [(chair.token, chair.name, chair.looking > 0) for chair in self.table.chairs]

    def _about(self) -> str:
        table, words = self.table.plan.table, self.words
        parts = [
            words("werewolf_page.players", count=table.players),
            words(f"parts.languages.{table.language}"),
            words(f"werewolf_page.talks.{table.talk}"),
        ]
        return " · ".join(parts)

    def _ask_name(self, chair: Chair) -> None:
        words, table = self.words, self.table
        with ui.element("form").classes("card ww-name-form") as form:
            proposed = names_for(1, table.plan.table.language, None, taken=table.people)[0]
            name = ui.input(words("werewolf_page.your_name"), value=proposed).props(
                f"outlined autofocus maxlength={LONGEST_NAME}"
            )
            ui.button(words("werewolf_page.sit_down")).props("type=submit")

        def sit() -> None:
            try:
                table.sit(chair, str(name.value or ""))
            except WolfChatboxError as error:
                tell(error)
            else:
                form.delete()

        form.on("submit.prevent", sit)

    @ui.refreshable_method
    def seats(self) -> None:
        """The seats that are kept for people."""
        words, table, host = self.words, self.table, not self.links.guest
        free = table.plan.table.players - len(table.people)
        for chair in table.chairs:
            self._row(chair, host)
        if not table.chairs:
            ui.label(words("werewolf_page.nobody_sits")).classes("quiet")
        ui.label(words("werewolf_page.agents_fill", count=free)).classes("quiet small")

    def _row(self, chair: Chair, host: bool) -> None:
        words = self.words
        with ui.element("div").classes("ww-chair"):
            avatar(chair.name or "?", small=True)
            name = chair.name or words("werewolf_page.kept")
            if chair is self.chair:
                name = words("werewolf_page.you", name=name)
            ui.label(name).classes("ww-chair-name")
            if chair.name:
                there = "here" if chair.looking else "away"
                ui.label(words(f"werewolf_page.{there}")).classes(f"ww-there {there}")
            if host and chair is not self.chair:
                icon_button("close", words("werewolf_page.withdraw"), lambda chair=chair: self.table.withdraw(chair))
        if host and chair is not self.chair and not chair.name:
            self._link(words("werewolf_page.seat_link"), self.links.table(self.table.id, chair.token, whole=True))

    def _build_hosting(self) -> None:
        """What the host can do."""
        words, table = self.words, self.table
        with ui.element("div").classes("ww-buttons"):
            ui.button(words("werewolf_page.start"), icon="play_arrow", on_click=table.start)
            self._invite = self._quiet("person_add", words("werewolf_page.invite"), table.invite)
            if self.chair is None:
                self._quiet("chair_alt", words("werewolf_page.take_seat"), self._take)
            self._quiet("delete_outline", words("werewolf_page.clear"), table.stop)

    def _build_links(self) -> None:
        """The link for those who watch, and for whom it works."""
        words = self.words
        with ui.element("section").classes("card ww-links"):
            self._link(words("werewolf_page.watch_link"), self.links.table(self.table.id, whole=True))
            if not self.links.keyed:
                ui.label(words("werewolf_page.only_here")).classes("quiet small")
                ui.label("WOLF_CHATBOX_API_KEY=… wolf-chatbox web --host 0.0.0.0").classes("ww-command")

    def _quiet(self, icon: str, text: str, act: Callable[[], object]) -> ui.button:
        def do() -> None:
            try:
                act()
            except ChatError as error:
                tell(error)

        return ui.button(text, icon=icon, on_click=do).props("flat")

    def _take(self) -> None:
        ui.navigate.to(self.links.table(self.table.id, self.table.invite().token))

    def _link(self, name: str, address: str) -> None:
        words = self.words
        with ui.element("div").classes("ww-link"):
            field = ui.input(name, value=address).props("outlined dense readonly")
            field.props["aria-label"] = name

            def copy() -> None:
                ui.clipboard.write(address)
                ui.notify(words("werewolf_page.copied"), type="positive")

            icon_button("content_copy", words("werewolf_page.copy"), copy)

    def _rules(self) -> None:
        words, counts = self.words, self.table.plan.table.counts()
        roles = words("werewolf.comma").join(f"{role_name(words, role)} × {count}" for role, count in counts.items())
        with ui.element("section").classes("ww-rules quiet"):
            ui.label(words("werewolf.rules.first"))
            ui.label(words("werewolf.rules.second"))
            ui.label(words("werewolf.rules.third", roles=roles))
