"""The end of a game: who won, who was what, who voted for whom."""

from __future__ import annotations

from nicegui import ui

from wolf_chatbox.game import SIDES
from wolf_chatbox.page.outlook import Outlook
from wolf_chatbox.page.pages.werewolf.board import Signs, role_name, won
from wolf_chatbox.page.parts import link_button
from wolf_chatbox.words import Words

REPLAY = "/werewolf/replay/"
"""Where a game that is over is played again, from its id."""


def show_reveal(words: Words, avatar: Signs, seen: Outlook, id: str, *, replay: bool) -> None:
    """The roles and the votes; `replay` offers the way to the game's replay."""
    with ui.element("section").classes("card ww-reveal"):
        ui.label(won(words, seen.winner)).classes("heading").props("role=heading aria-level=2")
        if seen.role and seen.winner:
            wins = SIDES.get(seen.role) == seen.winner
            ui.label(words("werewolf_page.you_won" if wins else "werewolf_page.you_lost")).classes("quiet")
        with ui.element("div").classes("scrolls").props("tabindex=0"):
            _table(words, avatar, seen)
        if replay:
            link_button(words("werewolf_page.replay"), REPLAY + id, icon="movie", quiet=True)


def _table(words: Words, avatar: Signs, seen: Outlook) -> None:
    days = sorted(seen.ballots)
    teams = any(seat.team for seat in seen.seats)
    with ui.element("table").classes("figures"):
        with ui.element("thead"), ui.element("tr"):
            heads = [words("werewolf_page.player"), words("werewolf_page.role")]
            heads += [words("werewolf_page.played_by")] if teams else []
            for head in [*heads, *(words("werewolf_page.vote_of", day=day) for day in days)]:
                with ui.element("th").props("scope=col"):
                    ui.label(head)
        with ui.element("tbody"):
            for seat in seen.seats:
                with ui.element("tr").classes("dead" if seat.died else ""):
                    with ui.element("th").props("scope=row"), ui.element("div").classes("ww-who"):
                        avatar(seat.name, small=True)
                        ui.label(seat.name)
                    cells = [role_name(words, seat.role), *([_team(words, seat.team)] if teams else [])]
                    for cell in [*cells, *(seen.ballots[day].get(seat.name, "–") for day in days)]:
                        with ui.element("td"):
                            ui.label(cell)


def _team(words: Words, team: str) -> str:
    return words("werewolf_page.a_person") if team == "human" else team
