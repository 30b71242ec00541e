"""One browser at a table: before the game, in it, and after it; it follows the table until it is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nicegui import ui
from nicegui.events import GenericEventArguments

from wolf_chatbox.errors import ChatError
from wolf_chatbox.page.desk import Desk
from wolf_chatbox.page.frame import tell
from wolf_chatbox.page.outlook import Outlook
from wolf_chatbox.page.pages.werewolf.acting import Acting
from wolf_chatbox.page.pages.werewolf.board import Board, Signs, day_name, role_name
from wolf_chatbox.page.pages.werewolf.feed import Feed
from wolf_chatbox.page.pages.werewolf.reveal import show_reveal
from wolf_chatbox.page.pages.werewolf.waiting import Waiting
from wolf_chatbox.page.parts import icon_button, link_button, listed, remember, sure
from wolf_chatbox.page.table import Chair, Table
from wolf_chatbox.words import Words

if TYPE_CHECKING:
    from wolf_chatbox.page.pages.werewolf import Links

HIDDEN_COOKIE = "wolf_chatbox_role_hidden"


class Sitting:
    """A page that shows a table to a person on a seat, or to somebody who watches."""

    def __init__(
        self, desk: Desk, words: Words, table: Table, chair: Chair | None, links: Links, *, hidden: bool
    ) -> None:
        """`hidden` hides the role, and what tells it, from those who look over the shoulder."""
        self.desk, self.words, self.table, self.chair, self.links = desk, words, table, chair, links
        self.client = ui.context.client
        self.hidden = hidden
        self._waiting: Waiting | None = None
        self._game: Game | None = None

    def build(self) -> None:
        with ui.element("div").classes("ww-page") as self.root:
            pass
        self.show()
        ui.on("werewolf", self._on_key)
        ui.timer(1.0, self._tick)
        leave = self.table.look(self.chair, self.show)
        self.client.on_delete(leave)

    def show(self) -> None:
        """Show the table as it is now."""
        if self.client.is_deleted:
            return
        chair = self.chair if self.chair is None or self.chair.name or self.table.state == "open" else None
        seen = self.table.outlook(chair, self.words.language)
        with self.root:
            if seen is not None:
                if self._game is None:
                    self.root.clear()
                    self._game = Game(self, seen)
                self._game.show(seen)
            elif self.table.state == "open":
                if self._waiting is None:
                    self._waiting = Waiting(self.words, self.table, self.chair, self.links)
                else:
                    self._waiting.show()
            else:
                self._show_between()

    def _show_between(self) -> None:
        """The game begins, or never will."""
        words, table = self.words, self.table
        self.root.clear()
        with self.root, ui.element("div").classes("ww-waiting"):
            if table.state == "begins":
                ui.label(words("werewolf_page.begins")).classes("title").props("role=status")
                ui.linear_progress(show_value=False).props("indeterminate rounded").props["aria-label"] = words(
                    "werewolf_page.begins"
                )
                return
            ui.label(words("werewolf_page.gone")).classes("title").props("role=heading aria-level=1")
            if table.error:
                ui.label(table.error).classes("note bad").props("role=alert")
            if not self.links.guest:
                ui.link(words("werewolf_page.to_lobby"), "/werewolf")

    def _tick(self) -> None:
        if self._game is not None:
            self._game.acting.tick()

    def _on_key(self, event: GenericEventArguments) -> None:
        key, text = str(event.args.get("key")), str(event.args.get("text") or "")
        game = self._game
        if game is None:
            return
        if key == "hide":
            game.hide()
        elif key == "send":
            game.acting.send(text)
        elif key == "over":
            game.acting.pass_on()
        elif key == "digit" and text.isdecimal() and len(text) == 1:
            game.acting.press(text)
            self.show()
        elif key == "confirm":
            game.acting.confirm()

    def again(self) -> None:
        """Go to the table at which the same people play again."""
        try:
            table = self.desk.tables.again(self.table)
        except ChatError as error:
            tell(error)
        else:
            ui.navigate.to(self.links.table(table.id, self.chair.token if self.chair else ""))


class Game:
    """A game that has begun, as one browser sees it."""

    def __init__(self, sitting: Sitting, seen: Outlook) -> None:
        self.sitting, self.words = sitting, sitting.words
        self.seen = seen
        self._asked: object = None
        self._ended = False
        self._next = ""
        words, chair = self.words, sitting.chair
        self._signs = Signs([seat.name for seat in seen.seats])
        with ui.element("div").classes("ww") as self.root:
            with ui.element("div").classes("ww-left"):
                self.board = Board(words, self._signs, seen.me, self._choose)
                self._under = ui.element("div").classes("ww-under")
            with ui.element("section").classes("ww-right"):
                with ui.element("div").classes("ww-bar"):
                    self._title = ui.label().classes("ww-title").props("role=heading aria-level=1")
                    ui.space()
                    if seen.me:
                        self._eye = icon_button("visibility", words("werewolf_page.hide"), self.hide)
                        self._eye.props["aria-keyshortcuts"] = "Alt+R"
                    if not sitting.links.guest:
                        self._stop = icon_button("stop_circle", words("werewolf_page.stop"), self._end)
                self.feed = Feed(words, self._signs, seen.me)
                self.acting = Acting(sitting.table, words, chair.person if chair and seen.me else None)
        self._show_card()
        self._show_hidden()

    def show(self, seen: Outlook) -> None:
        self.seen = seen
        words = self.words
        self.root.classes(add="night" if seen.dark else "day", remove="day" if seen.dark else "night")
        title = words("werewolf.over") if seen.over else day_name(words, seen)
        self._title.set_text(title if seen.me or seen.over else words("werewolf_page.watching", what=title))
        self.acting.show(seen)
        self.board.show(seen, self.acting.targets, self.acting.chosen)
        self.feed.show(seen.entries)
        person = self.acting.person
        asked = (person.asked, person.asks) if person is not None else (None, 0)
        if asked != self._asked:
            self._asked = asked
            if asked[0] is not None:
                self.sitting.client.run_javascript(self.acting.focus())
        table = self.sitting.table
        if seen.over and (not self._ended or table.next != self._next):
            self._ended, self._next = True, table.next
            self._show_end()

    def _choose(self, name: str) -> None:
        self.acting.choose(name)
        self.show(self.seen)

    def _show_card(self) -> None:
        """The role card."""
        words, seen = self.words, self.seen
        if not seen.me:
            return
        with self._under, ui.element("section").classes("ww-card") as card:
            card.props["aria-label"] = words("werewolf_page.your_role")
            with ui.element("div").classes("secret"):
                ui.label(words("werewolf_page.you_are", role=role_name(words, seen.role))).classes("ww-card-role")
                ui.label(words(f"werewolf.cards.{seen.role}")).classes("quiet")
                wolves = [seat.name for seat in seen.seats if seat.role == "WEREWOLF" and seat.name != seen.me]
                if seen.role == "WEREWOLF" and wolves:
                    ui.label(words("werewolf_page.wolves", names=listed(words, wolves)))
            ui.label(words("werewolf_page.role_hidden")).classes("quiet ww-covered")

    def hide(self) -> None:
        """Hide the role, or show it again."""
        self.sitting.hidden = not self.sitting.hidden
        remember(HIDDEN_COOKIE, "yes" if self.sitting.hidden else "no")
        self._show_hidden()

    def _show_hidden(self) -> None:
        hides = self.sitting.hidden and bool(self.seen.me) and not self._ended
        self.root.classes(add="hides" if hides else "", remove="" if hides else "hides")
        if self.seen.me:
            name = self.words("werewolf_page.show" if hides else "werewolf_page.hide")
            self._eye.props["icon"] = "visibility_off" if hides else "visibility"
            self._eye.props["aria-label"] = self._eye.props["title"] = name

    def _show_end(self) -> None:
        words, table, sitting = self.words, self.sitting.table, self.sitting
        self._show_hidden()
        self.root.classes(add="over")
        if not sitting.links.guest:
            self._stop.set_visibility(False)
        self._under.clear()
        with self._under:
            if table.error:
                ui.label(table.error).classes("note bad").props("role=alert")
            show_reveal(words, self._signs, self.seen, table.id, replay=not sitting.links.guest)
            with ui.element("div").classes("ww-buttons"):
                if not sitting.links.guest:
                    ui.button(words("werewolf_page.again"), icon="replay", on_click=sitting.again)
                    link_button(words("werewolf_page.to_lobby"), "/werewolf", quiet=True)
                elif table.next:
                    seat = sitting.chair.token if sitting.chair else ""
                    link_button(words("werewolf_page.go_on"), sitting.links.table(table.next, seat))

    async def _end(self) -> None:
        words = self.words
        if await sure(words, words("werewolf_page.stop_sure"), words("werewolf_page.stop")):
            self.sitting.table.stop()
