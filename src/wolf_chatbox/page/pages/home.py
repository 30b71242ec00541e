"""Home: the characters, what is being made, and the last chats; a friendly beginning where there is nothing yet."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from fastapi import Request
from nicegui import ui

from wolf_chatbox.evaluate.report.scorecard import Score
from wolf_chatbox.page.characters import TrainedRun
from wolf_chatbox.page.desk import Desk
from wolf_chatbox.page.frame import frame
from wolf_chatbox.page.pages.new import running
from wolf_chatbox.page.parts import avatar, link_button, style
from wolf_chatbox.page.scores import scores_of
from wolf_chatbox.talk.archive import Kept
from wolf_chatbox.words import Words

CHATS = 6
ON_A_CARD = ("right_character", "ends")
"""The scores that a card has room for."""


def add(desk: Desk) -> None:
    @ui.page("/")
    async def home(request: Request) -> None:
        style("runs")
        runs = desk.characters.all()
        scores = await asyncio.to_thread(scores_of, runs)
        with frame(request, "home") as reader:
            words = reader.words
            if not runs:
                _invite(words)
            running.panel(desk, words)
            if runs:
                with ui.element("div").classes("headed"):
                    ui.label(words("home.characters")).classes("title").props("role=heading aria-level=1")
                    link_button(words("home.new"), "/new", icon="add")
                with ui.element("div").classes("grid character-grid"):
                    for one in runs:
                        _card(words, one, scores.get(one.name, []))
            _chats(desk, words)


def _invite(words: Words) -> None:
    """What stands on the page of somebody who has nothing yet."""
    with ui.element("section").classes("invite"):
        ui.element("div").classes("invite-moon").props("aria-hidden=true")
        ui.label(words("home.welcome")).classes("title").props("role=heading aria-level=1")
        ui.label(words("home.invitation")).classes("lead")
        with ui.element("div").classes("actions"):
            link_button(words("home.new"), "/new", icon="add").props("size=lg")
            example = "example-ja" if words.language == "ja" else "example"
            link_button(words("home.example"), f"/new?example={example}", icon="menu_book", quiet=True)


def _card(words: Words, one: TrainedRun, scores: Sequence[Score]) -> None:
    address = f"/runs/{quote(one.name, safe='')}"
    with ui.element("article").classes("card character-card").props("role=article") as card:
        card.props["aria-label"] = one.who
        with ui.element("div").classes("character-head"):
            avatar(one.who)
            with ui.element("div").classes("narrow"):
                with ui.link(target=address).classes("character-name"):
                    ui.label(one.who)
                ui.label(one.about).classes("quiet small one-line")
        with ui.element("div").classes("character-scores"):
            for score in [score for score in scores if score.measure in ON_A_CARD]:
                with ui.element("div").classes("tiny-score"):
                    ui.label(score.shown).classes("tiny-value")
                    ui.label(score.title(words)).classes("quiet small")
            if not scores:
                ui.label(words("home.unmeasured")).classes("quiet small")
        with ui.element("div").classes("actions"):
            link_button(words("home.talk"), f"/talk?run={quote(one.name, safe='')}", icon="chat_bubble_outline")
            link_button(words("home.more"), address, quiet=True)


def _chats(desk: Desk, words: Words) -> None:
    """The last chats; they are read from their files after the page is there."""
    section = ui.element("section").classes("last-chats")

    async def fill() -> None:
        kept = await asyncio.to_thread(desk.archive.all)
        people: Mapping[str, str] = {one.name: one.who for one in desk.characters.all()}
        with section:
            if not kept:
                return
            with ui.element("div").classes("headed"):
                ui.label(words("home.chats")).classes("heading").props("role=heading aria-level=2")
                if len(kept) > CHATS:
                    link_button(words("home.all"), "/talk", quiet=True)
            with ui.element("div").classes("card list-card"):
                for one in kept[:CHATS]:
                    _chat(words, one, people.get(str(one.about.get("run"))))

    ui.timer(0, fill, once=True)


def _chat(words: Words, kept: Kept, who: str | None) -> None:
    name = str(kept.about.get("persona") or who or kept.about.get("run") or "?")
    with ui.link(target=f"/talk/{kept.id}").classes("list-row"):
        avatar(name, small=True)
        with ui.element("div").classes("narrow"):
            ui.label(kept.title or "…").classes("one-line")
            turns = words("home.turns", count=len(kept.turns))
            ui.label(f"{name} · {turns} · {kept.when:%Y-%m-%d %H:%M}").classes("quiet small one-line")
