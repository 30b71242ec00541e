"""Why: what the model really read before a reply, and how the reply was drawn."""

from __future__ import annotations

import asyncio

from nicegui import ui

from wolf_chatbox.page.pages.talk.sheet import sheet
from wolf_chatbox.page.parts import listed
from wolf_chatbox.page.room import Room
from wolf_chatbox.scene import Scene
from wolf_chatbox.talk.session import ChatSession
from wolf_chatbox.talk.why import Account, account, one_line, read_text
from wolf_chatbox.visible import visible
from wolf_chatbox.words import Words

LEFT_OUT = 200
"""Turns that are listed at most of those that the model did not read."""


async def explain(room: Room, number: int, place: ui.element, words: Words) -> None:
    """Open the account of a reply; raises ChatError where its prompt cannot be made any more."""
    session = await room.ready()
    told, known = await asyncio.to_thread(_account, session, room, number)
    with sheet(place, words, words("talk.why.title")):
        _show(told, words, known=known)


def _account(session: ChatSession, room: Room, number: int) -> tuple[Account, bool]:
    """The account of a reply, and whether it was drawn since the chat was opened: else it is what it would read now."""
    if number in room.drawn:
        return account(session, room.drawn[number]), True
    message = session.tree.messages[number]
    heard = Scene(session.tree.heard_by(message.speaker, message.after), speaker=message.speaker)
    scene = session.voice.cards.brief(heard, session.user)
    prompt = session.voice.prompt(scene, session.sampling)
    held, engine = session.voice.held(scene, session.sampling), session.voice.engine.decoder.name
    text = read_text(session, prompt)
    told = Account(message.speaker, scene.turns, held, text, len(prompt), engine, 0, False, (), False, (), 0, None)
    return told, False


def _show(told: Account, words: Words, *, known: bool) -> None:
    ui.label(
        words("talk.why.read", name=told.speaker, held=told.held, heard=len(told.heard), tokens=told.tokens)
    ).classes("sheet-text")
    drawn = words("talk.why.drawn", engine=told.engine, seed=told.seed) if known else words("talk.why.again")
    ui.label(drawn).classes("quiet small")
    if told.repeated:
        ui.label(words("talk.why.repeated")).classes("note")
    for recalled in told.recalled:
        said = " / ".join(f"{turn.speaker}: {one_line(turn.text)}" for turn in recalled.turns)
        with ui.element("div").classes("note"):
            ui.label(words("talk.why.recalled", day=f"{recalled.when:%Y-%m-%d}", words=listed(words, recalled.words)))
            ui.label(visible(said)).classes("small")
    if told.remembers and not told.recalled:
        ui.label(words("talk.why.nothing_recalled")).classes("quiet small")
    if told.candidates:
        _show_candidates(told, words)
    if told.left_out:
        with ui.expansion(words("talk.why.left_out", count=len(told.left_out))).classes("sheet-more"):
            for turn in told.left_out[-LEFT_OUT:]:
                ui.label(visible(f"{turn.speaker}: {turn.text}")).classes("why-left-out")
    ui.label(words("talk.why.prompt")).classes("sheet-label")
    prompt = ui.label(visible(told.prompt)).classes("why-prompt").props("tabindex=0 dir=auto role=region")
    prompt.props["aria-label"] = words("talk.why.prompt")


def _show_candidates(told: Account, words: Words) -> None:
    reverse = told.weight is not None
    ui.label(words("talk.why.best_of", count=len(told.candidates))).classes("sheet-label")
    ui.label(words("talk.why.scores_reverse" if reverse else "talk.why.scores")).classes("quiet small")
    for number, candidate in enumerate(told.candidates):
        with ui.element("div").classes("why-candidate" + (" chosen" if number == told.chosen else "")):
            ui.label(f"{candidate.score:.2f}").classes("why-score")
            ui.label(visible(one_line(candidate.text))).classes("sheet-grow")
            if number == told.chosen:
                ui.icon("check").props["aria-label"] = words("talk.why.chosen")
