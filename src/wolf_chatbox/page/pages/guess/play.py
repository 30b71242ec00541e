"""A game as one browser plays it: the rules, the rounds one by one, and what came out."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

from nicegui import ui
from nicegui.events import KeyEventArguments

from wolf_chatbox.errors import WolfChatboxError
from wolf_chatbox.evaluate.judging.guesses import CLUES, Guess, Round
from wolf_chatbox.page.desk import Desk
from wolf_chatbox.page.frame import tell
from wolf_chatbox.page.judging.games import Kept
from wolf_chatbox.page.pages.guess.result import show_details, show_shares
from wolf_chatbox.page.parts import bubble
from wolf_chatbox.words import Words

SHOWN = 4
"""Turns before the replies that are shown while somebody guesses; the result shows all that are kept."""
Phase = Literal["making", "gone", "start", "guess", "clues", "truth", "result"]


class Play:
    """One player's way through a game. What is real stays here until the player has guessed."""

    def __init__(self, desk: Desk, words: Words, id: str, player: str, link: str | None) -> None:
        self.desk, self.words, self.id, self.player = desk, words, id, player
        self.link = link
        """For friends; "" where nobody else reaches this page, None for a guest, who is not asked to invite."""
        self.kept: Kept | None = None
        self.phase: Phase = "gone"
        self.number = 0
        self.clues: list[str] = []
        self.chosen = 0
        """Which of the two was chosen, as they are shown."""

    def build(self) -> None:
        self._look()
        with ui.element("div").classes("judge play").props("aria-live=polite") as self.place:
            self.show()
        ui.keyboard(self._choice_key, repeating=False, ignore=["input", "textarea", "select"])
        ui.keyboard(self._enter, repeating=False)  # a button that has the focus takes the key itself
        ui.context.client.on_delete(self.desk.games.listen(self.id, self._news))

    def _look(self) -> None:
        """Read the game, and go to where this player is in it."""
        games = self.desk.games
        try:
            self.kept = None if self.id in games.making else games.get(self.id)
        except WolfChatboxError:
            self.kept = None
        if self.kept is None:
            self.phase = "making" if self.id in games.making else "gone"
            return
        done = self.kept.by(self.player)
        left = [number for number in range(len(self.kept.game.rounds)) if number not in done]
        self.phase = "result" if not left else "guess" if done else "start"
        self.number = left[0] if left else 0

    def _news(self) -> None:
        """The game is new, made, gone, or somebody guessed."""
        if self.phase in ("making", "gone"):
            self._look()
            self.show.refresh()
            return
        try:
            kept = self.desk.games.get(self.id)
        except WolfChatboxError:
            kept = None
        if kept is None:
            self._look()
            self.show.refresh()
            return
        self.kept = kept
        (self.shares if self.phase == "result" else self.live).refresh()

    @ui.refreshable_method
    def shares(self) -> None:
        """What was found so far."""
        if self.kept is not None:
            show_shares(self.words, self.kept, self.player)

    @ui.refreshable_method
    def show(self) -> None:
        """What there is to do now."""
        match self.phase:
            case "gone":
                ui.label(self.words("game.gone")).classes("empty")
            case "making":
                self._making()
            case "start":
                self._start()
            case "result":
                assert self.kept is not None
                ui.label(self.words("game.title")).classes("quiet small")
                self.shares()
                show_details(self.words, self.kept, self.player)
                self._friends()
            case _:
                self._round()

    def _making(self) -> None:
        making = self.desk.games.making[self.id]
        with ui.element("section").classes("card making"):
            ui.label(self.words("game.making", name=making.run)).classes("heading").style("margin-top: 0")
            if making.error is not None:
                ui.label(str(making.error)).classes("note bad").props("role=alert")
                ui.link(self.words("game.again"), f"/guess/new?run={quote(making.run)}")
                return
            share = making.done / making.wanted if making.step == "drawing" else 0
            step = self.words(f"game.{making.step}", done=making.done, wanted=making.wanted)
            progress = ui.linear_progress(share, show_value=False, size="8px").props("rounded instant-feedback")
            progress.props["aria-label"] = step
            if making.step != "drawing":
                progress.props("indeterminate")
            ui.label(step).classes("quiet")
            ui.label(self.words("game.leave")).classes("quiet small")

    def _start(self) -> None:
        assert self.kept is not None
        rounds = self.kept.game.rounds
        speakers = {one.real.speaker for one in rounds}
        rules = "game.rules" if len(speakers) == 1 else "game.rules_many"
        ui.label(self.words("game.title")).classes("title").props("role=heading aria-level=1")
        with ui.element("section").classes("card").style("display: grid; gap: 12px"):
            ui.label(self.words(rules, count=len(rounds), name=rounds[0].real.speaker))
            ui.label(self.words("game.rules_more")).classes("quiet small")
            with ui.element("div").classes("between"):
                ui.button(self.words("game.start"), on_click=self._begin)
                self.live()
        self._friends()

    def _begin(self) -> None:
        self.phase = "guess"
        self._show_replies()

    def _show_replies(self) -> None:
        """Show a round, with its replies in sight however long the turns before are."""
        self.show.refresh()
        with self.place:
            end = "'end'" if self.phase == "guess" else "'start'"
            ui.run_javascript(f"getHtmlElement({self.place.id}).scrollIntoView({{block: {end}}})")

    @ui.refreshable_method
    def live(self) -> None:
        """How many have played so far."""
        if self.kept is not None:
            ui.label(self.words("game.players", count=self.kept.players)).classes("quiet small")

    # A round.

    def _round(self) -> None:
        assert self.kept is not None
        game = self.kept.game
        one = game.rounds[self.number]
        done = len(self.kept.by(self.player)) + (self.phase == "guess")
        with ui.element("div").classes("between"):
            ui.label(self.words("game.round", number=done, of=len(game.rounds))).classes("quiet small")
            self.live()
        with ui.element("div").classes("steps").props("aria-hidden=true"):
            for at in range(len(game.rounds)):
                ui.element("div").classes("done" if at < done - 1 else "now" if at == done - 1 else "")
        with ui.element("div").classes("before"):
            for turn in one.context[-SHOWN:]:
                bubble(turn.speaker, turn.text)
        ui.label(self.words("game.which", name=one.real.speaker)).classes("question").props("role=heading aria-level=2")
        with ui.element("div").classes("choices"):
            for at in range(2):
                self._option(one, at)
        with ui.element("div").classes("after"):
            if self.phase == "clues":
                self._ask_clues()
            elif self.phase == "truth":
                self._truth()
            else:
                ui.label(self.words("game.keys")).classes("quiet small")

    def _is_real(self, at: int) -> bool:
        assert self.kept is not None
        return self.kept.game.real_first(self.player, self.number) == (at == 0)

    def _option(self, one: Round, at: int) -> None:
        real, told = self._is_real(at), self.phase == "truth"
        classes = "choice" + (" chosen" if self.phase != "guess" and self.chosen == at else "")
        text = one.real.text if real else one.reply
        option = ui.element("button").classes(classes + (" real" if told and real else ""))
        option.props(f"type=button aria-keyshortcuts={at + 1}").on("click", lambda: self._choose(at))
        if self.phase != "guess":
            option.props("aria-disabled=true").classes("decided")  # one that is disabled would be pale
        with option:
            with ui.element("div").classes("choice-head"):
                ui.label(str(at + 1)).classes("letter")
                if told:
                    tag = ui.label(self.words("game.real" if real else "game.model"))
                    tag.classes("choice-tag is-real" if real else "choice-tag is-model")
                elif self.phase == "clues" and self.chosen == at:
                    ui.label(self.words("game.yours")).classes("choice-tag")
            ui.label(text).classes("choice-text")

    async def _choose(self, at: int) -> None:
        """Keep a guess at once; the truth comes after what gave it away."""
        if self.phase != "guess":
            return
        self.phase, self.chosen, self.clues = "clues", at, []
        try:
            await self.desk.games.guess(self.id, Guess(self.player, self.number, self._is_real(at)))
        except WolfChatboxError as error:
            self.phase = "guess"
            tell(error)
        self.show.refresh()

    def _ask_clues(self) -> None:
        ui.label(self.words("game.why")).style("font-weight: 600")
        with ui.element("div").classes("clues").props(f'role=group aria-label="{self.words("game.why")}"'):
            for clue in CLUES:
                button = (
                    ui.button(self.words(f"game.clue_{clue}"), color=None).classes("plain").props("aria-pressed=false")
                )
                button.on_click(lambda clue=clue, button=button: self._mark(clue, button))
        with ui.button(self.words("game.truth"), on_click=self._tell_truth):
            ui.label("Enter").classes("key").props("aria-hidden=true").style("margin-left: 8px")

    def _mark(self, clue: str, button: ui.button) -> None:
        marked = clue not in self.clues
        (self.clues.append if marked else self.clues.remove)(clue)
        button.classes(add="chosen") if marked else button.classes(remove="chosen")
        button.props(f"aria-pressed={str(marked).lower()}")

    async def _tell_truth(self) -> None:
        if self.phase != "clues":
            return
        self.phase = "truth"
        try:
            if self.clues:
                await self.desk.games.name_clues(self.id, self.player, self.number, self.clues)
        except WolfChatboxError as error:
            tell(error)
        self.show.refresh()

    def _truth(self) -> None:
        right = self._is_real(self.chosen)
        key = "game.right" if right else "game.wrong"
        ui.label(self.words(key)).classes("told right" if right else "told wrong")
        assert self.kept is not None
        last = len(self.kept.by(self.player)) == len(self.kept.game.rounds)
        with ui.button(self.words("game.see" if last else "game.next"), on_click=self._next):
            ui.label("Enter").classes("key").props("aria-hidden=true").style("margin-left: 8px")

    def _next(self) -> None:
        if self.phase == "truth":
            self._look()
            self._show_replies()

    async def _choice_key(self, event: KeyEventArguments) -> None:
        modified = event.modifiers.ctrl or event.modifiers.alt or event.modifiers.meta
        if event.action.keydown and not modified and event.key.name in ("1", "2"):
            await self._choose(int(event.key.name) - 1)

    async def _enter(self, event: KeyEventArguments) -> None:
        if event.action.keydown and event.key.enter:
            if self.phase == "start":
                self._begin()
            elif self.phase == "clues":
                await self._tell_truth()
            else:
                self._next()

    # Friends.

    def _friends(self) -> None:
        """The link for friends, and for whom it works."""
        if self.link is None:
            return
        words = self.words
        with ui.element("section").classes("card").style("display: grid; gap: 10px"):
            ui.label(words("game.friends")).classes("heading").style("margin-top: 0")
            if not self.link:
                ui.label(words("game.only_here"))
                ui.label("WOLF_CHATBOX_API_KEY=… wolf-chatbox web --host 0.0.0.0").classes("command")
                return
            ui.label(words("game.link_lead")).classes("quiet small")
            with ui.element("div").classes("link-row"):
                field = ui.input(value=self.link).props("outlined dense readonly")
                field.props["aria-label"] = words("game.link")
                ui.button(words("game.copy"), icon="content_copy", on_click=self._copy)
            if "//127.0.0.1" in self.link or "//localhost" in self.link:
                ui.label(words("game.link_local")).classes("note small")

    def _copy(self) -> None:
        ui.clipboard.write(self.link or "")
        ui.notify(self.words("game.copied"), type="positive")
