"""The lobby: a new game, the games that are played now, and those that are over."""

from __future__ import annotations

import secrets
from datetime import datetime

from nicegui import run, ui

from wolf_chatbox.conversation import Conversation
from wolf_chatbox.errors import WolfChatboxError
from wolf_chatbox.page.desk import Desk
from wolf_chatbox.page.entrance import TABLE
from wolf_chatbox.page.frame import tell
from wolf_chatbox.page.pages.werewolf.board import role_name, won
from wolf_chatbox.page.pages.werewolf.reveal import REPLAY
from wolf_chatbox.page.parts import link_button, listed, section
from wolf_chatbox.page.table import Plan, Table
from wolf_chatbox.play.seating import CROCKFORD
from wolf_chatbox.werewolf.table import MOST, ROLES, SETS, TableConfig
from wolf_chatbox.words import Words

OTHER = 0
"""Another number of players than those with roles of their own."""
SECONDS = (60, 180, 600, 0)
"""Seconds for an answer to choose from; 0 is as long as it takes."""
PACES = {"calm": 1.5, "quick": 0.4, "none": 0.0}
ULID = 26
"""Digits of a table's id."""
LISTED = 30
"""Games that are over which are listed."""


class Lobby:
    """One browser's lobby."""

    def __init__(self, desk: Desk, words: Words) -> None:
        self.desk, self.words = desk, words
        self.past: list[Conversation] | None = None
        self._shown: object = None

    def build(self) -> None:
        words = self.words
        with ui.element("div").classes("ww-lobby"):
            ui.label(words("werewolf.title")).classes("title").props("role=heading aria-level=1")
            ui.label(words("werewolf_page.lead")).classes("lead")
            with ui.element("div").classes("ww-halves"):
                Form(self.desk, words)
                with ui.element("div").classes("ww-lists"):
                    with section(words("werewolf_page.running")):
                        self.running()
                    with section(words("werewolf_page.past")):
                        self.finished()
        ui.timer(0.01, self._read, once=True)
        self._shown = self._state()
        ui.timer(2.0, self._look)

    async def _look(self) -> None:
        """Show the games anew, where something about those that are played now is."""
        shown = self._state()
        if shown != self._shown:
            self._shown = shown
            self.running.refresh()
            await self._read()

    def _state(self) -> object:
        return [(table.id, table.state, table.people) for table in self.desk.tables.running]

    async def _read(self) -> None:
        try:
            self.past = await run.io_bound(self.desk.tables.finished) or []
        except WolfChatboxError as error:
            self.past = []
            tell(error)
        self.finished.refresh()

    @ui.refreshable_method
    def running(self) -> None:
        tables = self.desk.tables.running
        if not tables:
            ui.label(self.words("werewolf_page.none_running")).classes("empty")
        for table in tables:
            self._card(table)

    def _card(self, table: Table) -> None:
        words = self.words
        with ui.link(target=TABLE + table.id).classes("card ww-entry"):
            people = listed(words, table.people) or words("werewolf_page.agents_only")
            ui.label(people).classes("ww-entry-title")
            state = "werewolf_page.is_open" if table.state == "open" else "werewolf_page.is_played"
            ui.label(f"{words(state)} · {words('werewolf_page.players', count=table.plan.table.players)}").classes(
                "quiet small"
            )

    @ui.refreshable_method
    def finished(self) -> None:
        words = self.words
        if self.past is None:
            ui.skeleton(height="64px").style("border-radius: 14px")
            return
        if not self.past:
            ui.label(words("werewolf_page.none_past")).classes("empty")
        for game in self.past[:LISTED]:
            assert game.game is not None
            with ui.element("div").classes("card ww-entry"):
                ui.link(won(words, game.game.winner), TABLE + game.group).classes("ww-entry-title")
                players = words("werewolf_page.players", count=len(game.game.players))
                ui.label(" · ".join(filter(None, (_when(game.group), players)))).classes("quiet small")
                link_button(words("werewolf_page.replay"), REPLAY + game.group, icon="movie", quiet=True)


def _when(id: str) -> str:
    """When a table was set, as the first ten digits of its id say (a ULID); empty for another id."""
    if len(id) != ULID or not set(id) <= set(CROCKFORD):
        return ""
    milliseconds = sum(CROCKFORD.index(digit) << 5 * place for place, digit in enumerate(reversed(id[:10])))
    return f"{datetime.fromtimestamp(milliseconds / 1000):%Y-%m-%d %H:%M}"


class Form:
    """What is settled of a new game."""

    def __init__(self, desk: Desk, words: Words) -> None:
        self.desk, self.words = desk, words
        with ui.element("section").classes("card ww-form"):
            ui.label(words("werewolf_page.new")).classes("heading").props("role=heading aria-level=2")
            sizes = {number: words("werewolf_page.players", count=number) for number in SETS}
            sizes[OTHER] = words("werewolf_page.other_number")
            self.size = self._select("size", sizes, 5, self._size_changed)
            self._build_roles()
            roles = {"": words("werewolf_page.chance"), **{role: role_name(words, role) for role in ROLES}}
            self.wish = self._select("wish", roles, "")
            self.language = self._select(
                "language", {code: words(f"parts.languages.{code}") for code in ("en", "ja")}, words.language
            )
            self.talk = self._select(
                "talk_form", {talk: words(f"werewolf_page.talks.{talk}") for talk in ("turns", "anytime")}, "turns"
            )
            runs = {f"model:{one.folder}": one.label for one in desk.characters.all()}
            agents = {"rules": words("werewolf_page.rules"), "random": words("werewolf_page.random"), **runs}
            self.fill = self._select("fill", agents, "rules")
            with ui.expansion(words("werewolf_page.more")).classes("ww-more"), ui.element("div").classes("ww-form"):
                self.seconds = self._select("seconds", {one: self._minutes(one) for one in SECONDS}, 180)
                self.pace = self._select("pace", {pace: words(f"werewolf_page.paces.{pace}") for pace in PACES}, "calm")
                self.talks = self._number("utterances", 1, 20, 4)
                self.letters = self._number("letters_each", 0, 1000, 125)
                self.minutes = self._number("minutes", 1, 60, 5)
            with ui.element("div").classes("ww-buttons"):
                ui.button(words("werewolf_page.set_table"), icon="chair_alt", on_click=lambda: self._set(sits=True))
                watch = ui.button(words("werewolf_page.watch_agents"), on_click=lambda: self._set(sits=False))
                watch.props("flat")

    def _build_roles(self) -> None:
        """How many have each role, for another number of players."""
        words = self.words
        self.roles: dict[str, ui.number] = {}
        with ui.element("div").classes("ww-numbers") as self._roles:
            for role, count in zip(ROLES, (2, 0, 1, 1, 3, 0)):
                number = ui.number(role_name(words, role), value=count, min=0, max=MOST, precision=0)
                self.roles[role] = number.props("outlined dense")
        self._roles.set_visibility(False)

    def _size_changed(self) -> None:
        self._roles.set_visibility(self.size.value == OTHER)

    def _select(self, name: str, options: dict, value: object, changed: object = None) -> ui.select:  # type: ignore[type-arg]
        label = self.words(f"werewolf_page.form.{name}")
        return ui.select(options, value=value, label=label, on_change=changed).props("outlined")  # type: ignore[arg-type]

    def _number(self, name: str, least: int, most: int, value: int) -> ui.number:
        number = ui.number(self.words(f"werewolf_page.form.{name}"), value=value, min=least, max=most, precision=0)
        return number.props("outlined")

    def _minutes(self, seconds: int) -> str:
        if not seconds:
            return self.words("werewolf_page.any_time")
        return self.words("werewolf_page.minutes", count=seconds // 60)

    def _table(self) -> TableConfig:
        """The rules that are chosen; raises ConfigError for such as cannot be."""
        counts = {role: int(number.value or 0) for role, number in self.roles.items()}
        other = self.size.value == OTHER
        return TableConfig(
            players=sum(counts.values()) if other else int(self.size.value or 5),
            roles=tuple(f"{role.lower()}={count}" for role, count in counts.items() if count) if other else (),
            language=self.language.value,
            talk=self.talk.value,
            talks=int(self.talks.value or 1),
            letters=int(self.letters.value or 0),
            talk_minutes=float(self.minutes.value or 5),
        )

    def _set(self, *, sits: bool) -> None:
        """Set the table, and go there."""
        try:
            plan = Plan(
                table=self._table(),
                fill=(str(self.fill.value),),
                wish=str(self.wish.value or "") if sits else "",
                seconds=float(self.seconds.value) if self.seconds.value else None,
                pace=PACES[str(self.pace.value)],
            )
            table = self.desk.tables.new(plan)
        except WolfChatboxError as error:
            tell(error)
            return
        seat = f"?seat={table.invite(secrets.token_urlsafe(12)).token}" if sits else ""
        ui.navigate.to(TABLE + table.id + seat)
