"""A duel: one prompt, two replies, a vote, and only then who is who."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Literal

from nicegui import ui
from nicegui.events import KeyEventArguments

from wolf_chatbox.conversation import Turn
from wolf_chatbox.errors import WolfChatboxError
from wolf_chatbox.evaluate.entries import Exchange
from wolf_chatbox.evaluate.judging.votes import Choice, Vote, add_vote
from wolf_chatbox.page.desk import Desk
from wolf_chatbox.page.frame import tell
from wolf_chatbox.page.judging.ballots import note_match, votes_path
from wolf_chatbox.page.judging.contest import Contestants, Match, both, pair_of
from wolf_chatbox.page.judging.parts import side_name
from wolf_chatbox.page.parts import bubble
from wolf_chatbox.scene import Scene
from wolf_chatbox.talk.chat import checked
from wolf_chatbox.talk.server.refusals import Refusal
from wolf_chatbox.words import Words

SHOWN = 4
"""Turns before a real reply that are shown."""
Given = Literal["first", "tie", "bad", "second"]
VOTES: dict[str, Given] = {"1": "first", "=": "tie", "0": "bad", "2": "second"}
"""The keys, in the order of the buttons."""
Phase = Literal["ask", "drawing", "vote", "same", "told"]
SEND = """(event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) {
        event.preventDefault(); emit();
    }
}"""
"""Enter sends, but not the one that ends the choice of a Japanese word."""


class Duel:
    """The prompt and the two replies of one browser."""

    def __init__(
        self,
        desk: Desk,
        contestants: Contestants,
        words: Words,
        match: Callable[[], Match],
        voter: Callable[[], str],
        voted: Callable[[], Awaitable[None]],
    ) -> None:
        self.desk, self.contestants, self.words = desk, contestants, words
        self._match, self._voter, self._voted = match, voter, voted
        self.phase: Phase = "ask"
        self.exchange: Exchange | None = None
        self.match: Match | None = None
        self.scene = Scene(())
        self.texts = ("", "")
        self.swapped = False
        self.choice: Given | None = None
        self._over = _Over()
        self._looking = False

    def build(self) -> None:
        with ui.element("section").classes("card asked"):
            self.context()
            prompt = self.words("compare.prompt")
            self.prompt = ui.textarea(prompt).props("outlined autogrow rows=2 maxlength=4000")
            self.prompt.on("keydown", self.ask, js_handler=SEND)
            with ui.element("div").classes("between"):
                self.real = ui.button(self.words("compare.real"), icon="shuffle", on_click=self.take_real)
                self.real.props("flat")
                self.send = ui.button(self.words("compare.ask"), icon="send", on_click=self.ask)
        with ui.element("div").classes("arena").props("aria-live=polite") as self.place:
            self.arena()
        ui.keyboard(self._key, repeating=False, ignore=["input", "textarea", "select"])
        ui.keyboard(self._enter, repeating=False)  # a button that has the focus takes the key itself
        ui.context.client.on_delete(self.stop)

    # What is asked.

    @ui.refreshable_method
    def context(self) -> None:
        """The turns of a real exchange, in the place of the prompt."""
        if self.exchange is None:
            return
        with ui.element("div").classes("between"):
            ui.label(self.words("compare.real_title")).classes("quiet small")
            ui.button(self.words("compare.own"), on_click=self.clear).props("flat dense")
        for turn in self.exchange.scene.turns[-SHOWN:]:
            bubble(turn.speaker, turn.text)

    async def take_real(self) -> None:
        """Ask with a held-out exchange, which neither side has learnt."""
        if self._looking or self.phase == "drawing":
            return
        self._looking = True
        self.real.props("loading")
        try:
            found = await self.contestants.held_out(self._match())
            self.clear()
            self.exchange = random.choice(found)
            self.prompt.visible = False
            self.context.refresh()
        except (WolfChatboxError, Refusal) as error:
            tell(error)
        finally:
            self._looking = False
            self.real.props(remove="loading")
        if self.exchange is not None:
            await self.ask()

    def clear(self) -> None:
        """Begin anew, with a prompt of one's own."""
        self.stop()
        self.phase, self.exchange, self.match, self.choice = "ask", None, None, None
        self.prompt.visible = True
        self.context.refresh()
        self.arena.refresh()

    async def _scene_of(self, match: Match) -> Scene:
        if self.exchange is not None:
            return self.exchange.scene
        character = (await self.contestants.served(match.one)).character
        text = checked(str(self.prompt.value or ""))
        return Scene((Turn(character.user, text),), speaker=character.persona)

    async def ask(self) -> None:
        """Let both answer, and show both when both have."""
        if self.phase == "drawing":
            return
        self.prompt.run_method("blur")
        try:
            match = self._match()
            checked("x" if self.exchange else str(self.prompt.value or ""))
            self._to("drawing")
            self._look()
            over = self._over = _Over()
            scene = await self._scene_of(match)
            texts = await both(self.contestants, match, scene, over)
        except Exception as error:
            self._to("ask")
            tell(error)  # raises one that is not known again
            return
        if over.is_set:
            return
        self.match, self.scene, self.texts = match, scene, texts
        self.swapped, self.choice = random.random() < 0.5, None
        self._to("same" if texts[0] == texts[1] else "vote")
        self._look()

    def _look(self) -> None:
        """Bring both replies into sight."""
        with self.place:
            look = "scrollIntoView({block: 'nearest', behavior: 'smooth'})"
            ui.run_javascript(f"getHtmlElement({self.place.id}).{look}")

    def stop(self) -> None:
        """End the replies that are drawn; nothing of them is shown."""
        self._over.is_set = True
        if self.phase == "drawing":
            self._to("ask")

    def _to(self, phase: Phase) -> None:
        self.phase = phase
        self.send.set_enabled(phase != "drawing")
        self.arena.refresh()

    # What is answered.

    @ui.refreshable_method
    def arena(self) -> None:
        """Both replies, and what can be done."""
        with ui.element("div").classes("duel"):
            for at, letter in enumerate("AB"):
                self._side(at, letter)
        one = self.phase in ("drawing", "same", "told")
        with ui.element("div").classes("votes one" if one else "votes").style("margin-top: 14px"):
            self._buttons()
        if self.phase == "told" and self.exchange is not None:
            with ui.element("div").style("margin-top: 14px"):
                ui.label(self.words("compare.really")).classes("quiet small")
                bubble(self.exchange.said.speaker, self.exchange.said.text)

    def _side(self, at: int, letter: str) -> None:
        told = self.phase in ("told", "same")
        place = at ^ self.swapped
        won = self.choice == ("first", "second")[at]
        with ui.element("section").classes("duel-side won" if told and won else "duel-side"):
            with ui.element("div").classes("duel-head"):
                ui.label(letter).classes("letter")
                if told and self.match is not None:
                    side = (self.match.one, self.match.other)[place]
                    ui.label(side_name(self.words, side)).classes("duel-who")
            if self.phase == "drawing":
                with ui.element("div").classes("waiting").props(f'aria-label="{self.words("compare.waiting")}"'):
                    for _ in range(3):
                        ui.element("div")
            elif self.phase == "ask":
                ui.label(self.words("compare.empty")).classes("duel-text nothing")
            else:
                text = self.texts[place]
                ui.label(text or self.words("compare.nothing")).classes("duel-text" if text else "duel-text nothing")

    def _buttons(self) -> None:
        if self.phase == "drawing":
            ui.button(self.words("compare.stop"), icon="stop", on_click=self.stop, color=None).classes("plain")
        elif self.phase in ("same", "told"):
            key = "compare.same" if self.phase == "same" else "compare.next"
            with ui.button(self.words(key), on_click=self.next):
                ui.label("Enter").classes("key").props("aria-hidden=true")
        else:
            for key, given in VOTES.items():
                button = ui.button(
                    self.words(f"compare.{given}"), on_click=lambda given=given: self.vote(given), color=None
                )
                button.classes("plain").set_enabled(self.phase == "vote")
                button.props(f"aria-keyshortcuts={key}")
                with button:
                    ui.label(key).classes("key").props("aria-hidden=true")

    async def vote(self, given: Given) -> None:
        """Keep a vote at once, and tell who is who."""
        if self.phase != "vote" or self.match is None:
            return
        self.choice = given
        self._to("told")
        conversation = self.exchange.conversation if self.exchange else None
        choices: dict[Given, Choice] = {"first": "first", "second": "second", "tie": "tie", "bad": "tie"}
        pair = pair_of(self.match, self.scene, self.texts, self.swapped, conversation)
        vote = Vote(pair, choices[given], self._voter(), bad=given == "bad")
        try:
            folder = self.desk.workspace.votes
            await asyncio.to_thread(note_match, folder, self.match)
            await asyncio.to_thread(add_vote, votes_path(folder, self.match), vote)
        except WolfChatboxError as error:
            self.choice = None
            self._to("vote")
            tell(error)
            return
        await self._voted()

    async def next(self) -> None:
        """The next prompt: another real one after a real one."""
        if self.exchange is not None:
            await self.take_real()
            return
        self.clear()
        self.prompt.value = ""
        self.prompt.run_method("focus")

    async def _key(self, event: KeyEventArguments) -> None:
        modified = event.modifiers.ctrl or event.modifiers.alt or event.modifiers.meta
        if event.action.keydown and not modified and (given := VOTES.get(event.key.name)):
            await self.vote(given)

    async def _enter(self, event: KeyEventArguments) -> None:
        if event.action.keydown and event.key.enter and self.phase in ("same", "told"):
            await self.next()


class _Over:
    """Whether replies are to end; asked before each token, in the threads that draw."""

    is_set = False

    def __call__(self) -> bool:
        return self.is_set
