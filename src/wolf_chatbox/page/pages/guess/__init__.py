"""Who wrote this? The list of games, a new one, and a game's own page, which friends open by a link."""

from __future__ import annotations

import re
import secrets

from fastapi import Request
from nicegui import run, ui

from wolf_chatbox.errors import DataError
from wolf_chatbox.evaluate.judging.guesses import share_found
from wolf_chatbox.page.desk import Desk
from wolf_chatbox.page.frame import Reader, frame
from wolf_chatbox.page.judging.games import FEWEST, MOST, USUAL, Kept, begin
from wolf_chatbox.page.judging.parts import bar, look, tabs
from wolf_chatbox.page.pages.guess.play import Play
from wolf_chatbox.page.parts import remember, sure
from wolf_chatbox.page.quantities import spoken
from wolf_chatbox.words import Words

PLAYER_COOKIE = "wolf_chatbox_player"
PLAYER = re.compile(r"[0-9a-f]{24}")


def add(desk: Desk) -> None:
    @ui.page("/guess")
    def guess(request: Request) -> None:
        look()
        with frame(request, "compare", request_title(request)) as reader, ui.element("div").classes("judge"):
            tabs(reader.words, "games")
            Listed(desk, reader.words).build()

    @ui.page("/guess/new")
    def new(request: Request, run: str = "") -> None:
        look()
        with frame(request, "compare", request_title(request)) as reader, ui.element("div").classes("judge"):
            tabs(reader.words, "games")
            new_game(desk, reader.words, run)

    @ui.page("/guess/{id}")
    def play(request: Request, id: str) -> None:
        look()
        guest = desk.entrance.is_guest(request)
        player = request.cookies.get(PLAYER_COOKIE, "")
        if not PLAYER.fullmatch(player):
            player = secrets.token_hex(12)
            remember(PLAYER_COOKIE, player)
        with (
            frame(request, "compare", request_title(request), guest=guest) as reader,
            ui.element("div").classes("judge game"),
        ):
            Play(desk, reader.words, id, player, None if guest else address(desk, request, id)).build()


def address(desk: Desk, request: Request, id: str) -> str:
    """The link for friends; "" where nobody else reaches this page."""
    return f"{request.base_url}guess/{id}?guest={desk.entrance.guest_token(id)}" if desk.entrance.keys else ""


def request_title(request: Request) -> str:
    return Reader.of(request).words("game.title")


def new_game(desk: Desk, words: Words, name: str) -> None:
    """The form for a new game."""
    ui.label(words("game.new")).classes("title").props("role=heading aria-level=1")
    ui.label(words("game.new_lead")).classes("lead")
    runs = {one.name: one.label for one in desk.characters.all()}
    if not runs:
        with ui.element("div").classes("empty"):
            ui.label(words("compare.nobody"))
            ui.link(words("compare.make"), "/new")
        return
    with ui.element("section").classes("card").style("display: grid; gap: 16px; max-width: 560px"):
        chosen = ui.select(runs, value=name if name in runs else next(iter(runs)), label=words("game.character"))
        chosen.props("outlined")
        with ui.element("div"):
            ui.label(words("game.rounds")).classes("small quiet")
            with ui.element("div").classes("between").style("flex-wrap: nowrap"):
                rounds = ui.slider(min=FEWEST, max=MOST, step=1, value=USUAL).classes("grow")
                rounds.props["aria-label"] = words("game.rounds")
                ui.label().classes("count").bind_text_from(rounds, "value", lambda value: f"{value:g}")
        ui.label(words("game.rounds_hint")).classes("quiet small")

        def make() -> None:
            button.set_enabled(False)
            ui.navigate.to(f"/guess/{begin(desk, str(chosen.value), int(rounds.value or USUAL))}")

        button = ui.button(words("game.make"), on_click=make)


class Listed:
    """All games, with what they found."""

    def __init__(self, desk: Desk, words: Words) -> None:
        self.desk, self.words = desk, words
        self.found: list[Kept] | None = None

    def build(self) -> None:
        with ui.element("div").classes("between"):
            ui.label(self.words("game.title")).classes("title").props("role=heading aria-level=1")
            ui.button(self.words("game.new"), icon="add", on_click=lambda: ui.navigate.to("/guess/new"))
        ui.label(self.words("game.lead")).classes("lead").style("margin-top: 0")
        self.games()
        ui.timer(0.01, self._read, once=True)

    async def _read(self) -> None:
        self.found = await run.io_bound(self.desk.games.all) or []
        self.games.refresh()

    @ui.refreshable_method
    def games(self) -> None:
        """One card a game, and those that are made now."""
        for id, making in self.desk.games.making.items():
            with ui.element("div").classes("card entry"):
                with ui.element("div").classes("entry-main"):
                    with ui.element("div").classes("entry-title"):
                        ui.link(making.run, f"/guess/{id}")
                    key = "game.failed" if making.error else f"game.{making.step}"
                    ui.label(self.words(key, done=making.done, wanted=making.wanted)).classes("quiet small")
                if making.error:
                    button = ui.button(icon="delete_outline", on_click=lambda id=id: self._forget(id))
                    button.props(f'flat round aria-label="{self.words("game.remove")}"')
        if self.found is None:
            for _ in range(3):
                ui.skeleton(height="74px").style("border-radius: 14px")
            return
        if not self.found and not self.desk.games.making:
            ui.label(self.words("game.none")).classes("empty")
        for kept in self.found:
            self._card(kept)

    def _forget(self, id: str) -> None:
        self.desk.games.making.pop(id, None)
        self.games.refresh()

    def _card(self, kept: Kept) -> None:
        words, share = self.words, share_found(kept.guesses)
        with ui.element("div").classes("card entry"):
            with ui.element("div").classes("entry-main"):
                with ui.element("div").classes("entry-title"):
                    ui.link(kept.game.run, f"/guess/{kept.id}")
                parts = [
                    words("game.of_rounds", count=len(kept.game.rounds)),
                    words("game.players", count=kept.players),
                    *([words("game.found_share", share=spoken(share))] if kept.guesses else []),
                    kept.game.made.replace("T", " ")[:16],
                ]
                ui.label(" · ".join(parts)).classes("quiet small")
            if kept.guesses:
                bar(share, kept.game.run)
            button = ui.button(icon="delete_outline", on_click=lambda: self._remove(kept))
            button.props(f'flat round aria-label="{words("game.remove")}"')

    async def _remove(self, kept: Kept) -> None:
        words = self.words
        if await sure(words, words("game.remove_sure"), words("game.remove")):
            try:
                self.desk.games.remove(kept.id)
            except DataError:
                return
            await self._read()
