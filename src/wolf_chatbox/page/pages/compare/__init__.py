"""Compare: two answer the same, and people vote without knowing who is who."""

from __future__ import annotations

import asyncio
from urllib.parse import unquote

from fastapi import Request
from nicegui import run, ui

from wolf_chatbox.errors import WolfChatboxError
from wolf_chatbox.page.desk import Desk
from wolf_chatbox.page.frame import frame
from wolf_chatbox.page.judging.ballots import Compared, Score, compared, remove_votes, voter_name
from wolf_chatbox.page.judging.contest import Contestants, Match, is_old
from wolf_chatbox.page.judging.parts import bar, look, side_name, tabs
from wolf_chatbox.page.pages.compare.duel import Duel
from wolf_chatbox.page.pages.compare.sides import Sides
from wolf_chatbox.page.parts import remember, sure
from wolf_chatbox.page.quantities import spoken
from wolf_chatbox.words import Words

VOTER_COOKIE = "wolf_chatbox_voter"


def add(desk: Desk) -> None:
    contestants = Contestants(desk)

    @ui.page("/compare")
    async def compare(request: Request, run: str = "", id: str = "") -> None:
        earlier = await asyncio.to_thread(compared, desk.workspace.votes) if id else []
        match = next((one.match for one in earlier if one.path.stem == id), None)
        look()
        with frame(request, "compare") as reader, ui.element("div").classes("judge"):
            tabs(reader.words, "votes")
            ui.label(reader.words("compare.title")).classes("title").props("role=heading aria-level=1")
            ui.label(reader.words("compare.lead")).classes("lead")
            if not desk.characters.all():
                with ui.element("div").classes("empty"):
                    ui.label(reader.words("compare.nobody"))
                    ui.link(reader.words("compare.make"), "/new")
                return
            ui.context.client.on_delete(contestants.visit())
            voter = voter_name(unquote(request.cookies.get(VOTER_COOKIE, "")))
            Table(desk, contestants, reader.words, voter).build(run, match)


class Table:
    """One browser's comparison: who is compared, the duel of the moment, what the votes say, earlier comparisons."""

    def __init__(self, desk: Desk, contestants: Contestants, words: Words, voter: str) -> None:
        self.desk, self.words, self.voter = desk, words, voter
        self.sides = Sides(desk, words, self._changed)
        self.duel = Duel(desk, contestants, words, self.sides.match, lambda: self.voter, self._read)
        self.found: list[Compared] = []

    def build(self, run: str, match: Match | None) -> None:
        self.sides.build(run, match)
        self.duel.build()
        self._name()
        self.score()
        self.earlier()
        ui.timer(0.01, self._begin, once=True)

    async def _begin(self) -> None:
        await self.sides.find_bases()
        await self._read()

    def _changed(self) -> None:
        """Other sides were chosen."""
        self.duel.clear()
        self.score.refresh()

    async def _read(self) -> None:
        """Read what was voted, and show it."""
        self.found = await run.io_bound(compared, self.desk.workspace.votes) or []
        self.score.refresh()
        self.earlier.refresh()

    def _name(self) -> None:
        def keep() -> None:
            self.voter = voter_name(str(name.value or ""))
            remember(VOTER_COOKIE, self.voter)

        with ui.element("div").classes("between"):
            name = ui.input(self.words("compare.name"), value=self.voter).props("outlined dense maxlength=40")
            name.classes("grow").style("max-width: 320px").on("blur", keep).on("keydown.enter", keep)
            ui.label(self.words("compare.saved")).classes("quiet small grow")

    @ui.refreshable_method
    def score(self) -> None:
        """What the votes on these two say."""
        try:
            id = self.sides.match().id
        except WolfChatboxError:  # the same on both sides: told when they are asked
            id = ""
        one = next((one for one in self.found if one.path.stem == id), None)
        with ui.element("section").classes("card score").props("aria-live=polite"):
            ui.label(self.words("compare.score")).classes("heading").style("margin-top: 0")
            if one is None:
                ui.label(self.words("compare.no_votes")).classes("quiet")
            else:
                show_score(self.words, one)

    @ui.refreshable_method
    def earlier(self) -> None:
        """All comparisons with votes."""
        if not self.found:
            return
        ui.label(self.words("compare.earlier")).classes("heading")
        for one in self.found:
            with ui.element("div").classes("card entry"):
                with ui.element("div").classes("entry-main"):
                    with ui.element("div").classes("entry-title"):
                        ui.link(_title(self.words, one), f"/compare?id={one.path.stem}")
                    verdict = _verdict(self.words, one, one.score)
                    shown = self.words("compare.old", verdict=verdict) if is_old(self.desk, one.match) else verdict
                    ui.label(shown).classes("quiet small")
                bar(one.score.share, _title(self.words, one))
                button = ui.button(icon="delete_outline", on_click=lambda one=one: self._remove(one))
                button.props(f'flat round aria-label="{self.words("compare.remove")}"')

    async def _remove(self, one: Compared) -> None:
        words = self.words
        if await sure(words, words("compare.remove_sure", count=len(one.votes)), words("compare.remove")):
            await run.io_bound(remove_votes, one)
            await self._read()


def show_score(words: Words, one: Compared) -> None:
    """A comparison's score, in words and as a bar."""
    score = one.score
    first, second = side_name(words, one.match.one), side_name(words, one.match.other)
    ui.label(_verdict(words, one, score)).style("font-weight: 600")
    bar(score.share, first)
    with ui.element("div").classes("share-ends"):
        ui.label(words("compare.wins", name=first, count=score.wins))
        ui.label(words("compare.ties", count=score.ties))
        ui.label(words("compare.wins", name=second, count=score.losses))
    ui.label(words("compare.share", name=first, share=spoken(score.share))).classes("quiet small")


def _title(words: Words, one: Compared) -> str:
    return words("compare.versus", one=side_name(words, one.match.one), other=side_name(words, one.match.other))


def _verdict(words: Words, one: Compared, score: Score) -> str:
    """In a sentence who is better, and how many votes say so."""
    votes = words("compare.votes", count=score.votes)
    if not score.better:
        return words("compare.too_few", votes=votes)
    better = one.match.one if score.better > 0 else one.match.other
    return words("compare.better", name=side_name(words, better), votes=votes)
