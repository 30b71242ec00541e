"""The round table: a seat for each player, with who lives, who speaks, and the votes of the day."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence

from nicegui import ui

from wolf_chatbox.game import SIDES, WEREWOLF
from wolf_chatbox.page.outlook import Outlook, Seen
from wolf_chatbox.page.parts import avatar as sign
from wolf_chatbox.words import Words

WIDE, HIGH = 40.0, 37.0
"""Half of the ellipse on which the seats stand, in percent of the board."""

A_ROW = 7
"""Seats in a row, where the window is too narrow for a table."""


def roles_said(words: Words, roles: Collection[str]) -> str:
    """Roles in a row."""
    return words("werewolf.comma").join(role_name(words, role) for role in roles)


def role_name(words: Words, role: str) -> str:
    """A role by its name, where the words have one."""
    try:
        return words(f"werewolf.roles.{role}")
    except KeyError:
        return role.lower()


class Signs:
    """The players' signs: neighbours have different colours."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = list(names)

    def __call__(self, name: str, *, small: bool = False) -> ui.element:
        return sign(name, small=small, number=self.names.index(name) if name in self.names else None)


class Board:
    """The seats of one game. They are made once; `show` changes what has changed."""

    def __init__(self, words: Words, avatar: Signs, me: str, choose: Callable[[str], object]) -> None:
        names = avatar.names
        self._words, self._me = words, me
        self._places: dict[str, _Place] = {}
        with ui.element("div").classes("ww-board" + (" many" if len(names) > 9 else "")) as self.root:
            self.root.props(f'role=group aria-label="{words("werewolf_page.table")}"')
            columns = len(names) if len(names) <= A_ROW else min(A_ROW, math.ceil(len(names) / 2))
            self.root.style(f"--columns: {columns}")
            with ui.element("div").classes("ww-cloth"):
                self._sky = ui.icon("light_mode").classes("ww-sky").props("aria-hidden=true")
                self._day = ui.label().classes("ww-day")
                self._phase = ui.label().classes("ww-phase")
            first = names.index(me) if me in names else 0
            for number, name in enumerate(names, 1):
                turn = math.tau * (number - 1 - first) / len(names)
                place = _Place(words, avatar, name, number, name == me, choose)
                left, top = 50 - WIDE * math.sin(turn), 50 + HIGH * math.cos(turn)
                place.root.style(f"--left: {left:.2f}%; --top: {top:.2f}%")
                self._places[name] = place

    def show(self, seen: Outlook, targets: Collection[str] = (), chosen: str = "") -> None:
        """Show a game; a seat can be chosen where it is a target."""
        words = self._words
        self._sky.set_name("dark_mode" if seen.dark else "light_mode")
        self._day.set_text(words("werewolf.over") if seen.over else day_name(words, seen))
        self._phase.set_text(phase_name(words, seen))
        for seat in seen.seats:
            self._places[seat.name].show(seat, seen, seat.name in targets, seat.name == chosen)


def day_name(words: Words, seen: Outlook) -> str:
    return words("werewolf.night" if seen.dark else "werewolf.day", day=seen.day)


def phase_name(words: Words, seen: Outlook) -> str:
    """What goes on, as everybody knows it."""
    if seen.over:
        return won(words, seen.winner)
    return words(f"werewolf_page.phases.{seen.phase or 'between'}")


def won(words: Words, winner: str) -> str:
    """Who has won."""
    if winner not in ("VILLAGER", "WEREWOLF"):
        return words("werewolf.nobody_won")
    text = words("werewolf.won", side=words(f"werewolf.sides.{winner}"))
    return text[:1].upper() + text[1:]


class _Place:
    """A seat: a button while its player can be named."""

    def __init__(
        self, words: Words, avatar: Signs, name: str, number: int, mine: bool, choose: Callable[[str], object]
    ) -> None:
        self._words, self._avatar = words, avatar
        self._voters: tuple[str, ...] = ()
        self.root = ui.element("button").classes("ww-seat" + (" mine" if mine else "")).props("type=button")
        self.root.on("click", lambda: choose(name))
        with self.root:
            with ui.element("div").classes("ww-sign"):
                avatar(name)
                ui.label(str(number)).classes("ww-number").props("aria-hidden=true")
                ui.icon("more_horiz").classes("ww-speaks").props("aria-hidden=true")
            ui.label(name).classes("ww-name")
            self._claim = ui.label().classes("ww-claim")
            self._role = ui.label().classes("ww-role secret")
            self._votes = ui.element("div").classes("ww-votes").props("aria-hidden=true")

    def show(self, seat: Seen, seen: Outlook, target: bool, chosen: bool) -> None:
        words, root = self._words, self.root
        marks = {
            "dead": bool(seat.died),
            "speaks": seen.speaks == seat.name,
            "target": target,
            "chosen": chosen,
            "wolf": SIDES.get(seat.role) == WEREWOLF,
            "open": seen.over,
        }
        root.classes(
            add=" ".join(m for m, on in marks.items() if on), remove=" ".join(m for m in marks if not marks[m])
        )
        root.props["aria-disabled"] = str(not target).lower()
        root.props["aria-pressed"] = str(chosen).lower()
        root.props["tabindex"] = "0" if target else "-1"
        shows_role = bool(seat.role) and (seen.over or seen.knows_all or seat.name != seen.me)
        claim = words("werewolf_page.claim", roles=roles_said(words, seat.claims)) if seat.claims else ""
        self._claim.set_text(claim)
        self._claim.set_visibility(bool(claim) and not shows_role)
        self._role.set_text(role_name(words, seat.role) if shows_role else "")
        self._role.set_visibility(shows_role)
        died = words(f"werewolf_page.{seat.died}") if seat.died else words("werewolf_page.lives")
        votes = words("werewolf_page.votes", count=len(seat.votes)) if seat.votes else ""
        root.props["aria-label"] = words("werewolf.comma").join(
            text for text in (f"{seat.number} {seat.name}", died, claim, votes) if text
        )
        if seat.votes != self._voters:
            self._voters = seat.votes
            self._votes.clear()
            with self._votes:
                for voter in seat.votes:
                    self._avatar(voter, small=True).props["title"] = voter
