"""What a player does: speaks in the field, or names a player on a seat, and confirms it."""

from __future__ import annotations

import json
import time

from nicegui import ui

from wolf_chatbox.page.outlook import Outlook
from wolf_chatbox.page.pages.werewolf.board import phase_name
from wolf_chatbox.page.parts import icon_button
from wolf_chatbox.page.table import Person, Table
from wolf_chatbox.werewolf.sight import SPEECH, Kind
from wolf_chatbox.werewolf.utterance import OVER, counted, cut
from wolf_chatbox.words import Words

TWO_DIGITS = 0.9
"""Seconds in which a second digit belongs to the first one: 1 and 3 name the seat 13."""
LONGEST_TEXT = 2000


class Acting:
    """The foot of a table: what this person is asked for, or what the others do."""

    def __init__(self, table: Table, words: Words, person: Person | None) -> None:
        self.table, self._words, self.person = table, words, person
        self.chosen = ""
        """Who is named, until that is confirmed."""
        self._asked: Kind | None = None
        self._asks = 0
        self._digits, self._pressed = "", 0.0
        with ui.element("div").classes("ww-acts") as self.root:
            with ui.element("div").classes("ww-line"):
                self._status = ui.label().classes("ww-status").props("role=status")
                self._clock = ui.label().classes("ww-clock")
            self._build_speech()
            self._build_choice()

    def _build_speech(self) -> None:
        words = self._words
        with ui.element("div").classes("ww-speech") as self._speech:
            with ui.element("div").classes("ww-box"):
                self.field = ui.textarea(on_change=self._typed).classes("ww-field")
                self.field.props(f"autogrow borderless dense enterkeyhint=send maxlength={LONGEST_TEXT}")
                self.field.props["aria-label"] = words("werewolf_page.field")
                self._over = ui.button(words("werewolf_page.over"), on_click=self.pass_on).props("flat dense")
                self._over.props["title"] = words("werewolf_page.over_more")
                self._send = icon_button("arrow_upward", words("werewolf_page.send")).classes("ww-send")
                self._send.on("click", js_handler="() => werewolf.send()")
            with ui.element("div").classes("ww-line"):
                self._cut = ui.label().classes("ww-cut").props("role=status")
                self._count = ui.label().classes("quiet small ww-count")

    def _build_choice(self) -> None:
        words = self._words
        with ui.element("div").classes("ww-choice") as self._choice:
            self._hint = ui.label(words("werewolf_page.choose")).classes("quiet small")
            self._confirm = ui.button(words("werewolf_page.confirm"), on_click=self.confirm)

    @property
    def targets(self) -> list[str]:
        """Whom this person can name now."""
        person = self.person
        if person is None or person.asked is None or person.asked in SPEECH or person.sight is None:
            return []
        return person.sight.targets(person.asked)

    def show(self, seen: Outlook) -> None:
        """Show what is asked of this person now."""
        words, person = self._words, self.person
        asked = person.asked if person is not None and not seen.over else None
        asks = person.asks if person is not None else 0
        if (asked, asks) != (self._asked, self._asks):
            self._asked, self._asks, self.chosen = asked, asks, ""
            self.root.props["data-asked"] = str(max(1, asks) if asked else 0)
        speaks = seen.lives and not seen.over and (asked in SPEECH or (asked is None and seen.phase in ("talk", "")))
        self._speech.set_visibility(speaks)
        self._choice.set_visibility(bool(self.targets))
        self._status.set_text(self._doing(seen, asked))
        self.root.classes(add="asked" if asked else "", remove="" if asked else "asked")
        self.root.classes(add="whispers" if asked == "whisper" else "", remove="" if asked == "whisper" else "whispers")
        place = words("werewolf_page.whisper_here" if asked == "whisper" else "werewolf_page.say_here")
        self.field.props["placeholder"] = place
        self._hint.set_text(
            words("werewolf_page.chosen", name=self.chosen) if self.chosen else words("werewolf_page.choose")
        )
        self._confirm.set_enabled(bool(self.chosen))
        self._over.set_enabled(asked in SPEECH)
        self._show_text()
        self.tick()

    def _doing(self, seen: Outlook, asked: Kind | None) -> str:
        words = self._words
        if asked == "talk" and self.person is not None and self.person.talks_freely:
            return words("werewolf_page.may_talk")
        if asked in ("talk", "whisper"):
            return words(f"werewolf_page.your_{asked}")
        if asked is not None:
            return words(f"werewolf.questions.{asked}")
        if seen.over:
            return words("werewolf.over")
        if seen.me and not seen.lives:
            return words("werewolf_page.you_are_dead")
        if seen.speaks:
            return words("werewolf_page.speaks", name=seen.speaks)
        return phase_name(words, seen)

    def tick(self) -> None:
        """Show the time that is left: for this person's answer, or of a talk at any time."""
        person, clock = self.person, self.table.clock
        deadline = person.deadline if person is not None and person.asked else None
        deadline = deadline or (clock.deadline if clock is not None else None)
        left = round(deadline.left) if deadline is not None and self.table.state == "plays" else None
        self._clock.set_text("" if left is None else f"{left // 60}:{left % 60:02}")
        hurry = left is not None and left <= 10
        self._clock.classes(add="hurry" if hurry else "", remove="" if hurry else "hurry")

    # Speaking

    def _typed(self) -> None:
        self._show_text()

    def _show_text(self) -> None:
        """How much may still be said, and what would be cut off."""
        words, person, table = self._words, self.person, self.table.plan.table
        if person is None or person.sight is None:
            return
        sight, text = person.sight, " ".join(str(self.field.value or "").split())
        others = [name for name in sight.names if name != sight.me]
        kept = cut(text, table, others, sight.letters_left).text
        lost = " ".join(kept.split()) != text
        self._cut.set_text(words("werewolf_page.cut", text=kept) if lost else "")
        count = words("werewolf_page.left", count=sight.left) if person.asked in SPEECH else ""
        if table.letters:
            unit = "words" if table.count_words else "letters"
            size = words(f"werewolf_page.{unit}", count=counted(text, table), most=table.letters)
            count = f"{count} · {size}" if count else size
        self._count.set_text(count)
        self._count.classes(add="lost" if lost else "", remove="" if lost else "lost")
        self._send.set_enabled(person.asked in SPEECH and bool(text))

    def send(self, text: str) -> None:
        """Say something; the text comes back where nobody listens now."""
        text = " ".join(text.split())
        person = self.person
        if not text:
            return
        if person is not None and person.asked in SPEECH and person.say(text):
            self.field.set_value("")
        elif not self.field.value:
            self.field.set_value(text)

    def pass_on(self) -> None:
        """Have nothing more to say in this talk."""
        if self.person is not None and self.person.asked in SPEECH:
            self.person.say(OVER)

    # Naming somebody

    def choose(self, name: str) -> None:
        if name in self.targets:
            self.chosen = name

    def press(self, digit: str) -> None:
        """A digit names a seat; two in a row one of the seats from 10 on."""
        names, now = self.table.village.names if self.table.village else (), time.monotonic()
        both = self._digits + digit if now - self._pressed < TWO_DIGITS else digit
        self._digits = both if 0 < int(both) <= len(names) else digit
        self._pressed = now
        if 0 < int(self._digits) <= len(names):
            self.choose(names[int(self._digits) - 1])

    def confirm(self) -> None:
        if self.chosen in self.targets and self.person is not None:
            self.person.say(self.chosen)

    def focus(self) -> str:
        """JavaScript that gives the field the focus where this person may speak, and else takes it away."""
        return f"werewolf.focus({json.dumps(self._asked in SPEECH)})"
