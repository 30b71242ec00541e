"""What the rules player says: templates in English, and in polite and plain Japanese.

A statement's template is read back as that statement and as nothing else (`statements_in`); a remark as nothing but
questions. `{t}` is the player who is meant, `{a}` and `{b}` are players in a remark, `{I}` is who speaks.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping

from wolf_chatbox.play.inference.statements import Statement
from wolf_chatbox.play.players.templates_ja import PLAIN, POLITE

Words = Mapping[str, tuple[str, ...]]

ENGLISH: Words = {
    "claim SEER": ("I am the seer.", "I'm the seer here.", "My role is seer."),
    "claim MEDIUM": ("I am the medium.", "I'm the real medium.", "My role is medium."),
    "claim BODYGUARD": ("I am the bodyguard.", "My role is bodyguard."),
    "claim VILLAGER": ("I am a villager.", "I'm just a villager.", "I am only a plain villager."),
    "claim POSSESSED": ("I am the possessed.", "My role is possessed."),
    "result SEER HUMAN": ("I divined {t}: {t} is human.", "My divination result: {t} is human."),
    "result SEER WEREWOLF": ("I divined {t}: {t} is a werewolf.", "My divination result: {t} is a werewolf."),
    "result MEDIUM HUMAN": ("Medium result: {t} was human.", "My medium result: {t} was human."),
    "result MEDIUM WEREWOLF": ("Medium result: {t} was a werewolf.", "My medium result: {t} was a werewolf."),
    "estimate WEREWOLF": (
        "I suspect {t}.",
        "{t} looks suspicious to me.",
        "I think {t} is a werewolf.",
        "I don't trust {t}.",
        "{t} seems fishy.",
        "I am suspicious of {t}.",
    ),
    "estimate HUMAN": (
        "I trust {t}.",
        "{t} seems honest to me.",
        "I think {t} is human.",
        "I believe {t}.",
        "{t} looks innocent to me.",
    ),
    "estimate SEER": ("I believe {t} is the real seer.", "I think {t} is the true seer."),
    "estimate MEDIUM": ("I believe {t} is the real medium.", "I think {t} is the true medium."),
    "vote": (
        "I will vote for {t}.",
        "My vote goes to {t}.",
        "I'm voting for {t} today.",
        "I vote for {t}.",
        "My vote is {t}.",
        "Today I will vote for {t}.",
    ),
    "ask": ("What do you all think?", "Does anybody see it differently?", "Who else has an idea?"),
    "ask SEER": ("Seer: please tell us your result.", "Is there a seer who can tell us something?"),
    "ask MEDIUM": ("Medium: please tell us your result.", "Is there a medium who can tell us something?"),
    "ask name": ("@{t} What do you think?", "@{t} Whom do you have in mind?", "@{t} Please tell us your view."),
    "ask name SEER": ("@{t} Please tell us your seer result.", "@{t} As a seer: what is your result?"),
    "ask name MEDIUM": ("@{t} Please tell us your medium result.", "@{t} As a medium: what is your result?"),
    "attack": ("Let's attack {t} tonight.", "I want to attack {t}.", "We should attack {t} tonight."),
    # Remarks
    "greet": (
        "Hello everybody.",
        "Good evening all of you.",
        "Hi everyone. Let's find the wolves.",
        "Nice to meet you.",
        "Hello from me too.",
        "Hi there. I hope we play a good game.",
        "Good to see you all.",
        "Hi. Let's talk openly.",
        "Greetings to this table.",
        "Hello. I am curious who is hiding something.",
        "Evening. Let's keep a cool head.",
        "Hi all. No rush today.",
    ),
    "deny": (
        "I am not a werewolf.",
        "You have the wrong one.",
        "That is a mistake about me.",
        "You would lose a friend with me.",
        "Do not waste your votes on me.",
    ),
    "two claims": ("{a} and {b} both claim to be the seer.", "{a} or {b} lies about being the seer."),
    "black": ("{a} calls {b} a werewolf.", "{a} marked {b} as a werewolf."),
    "white": ("{a} says that {b} is human.",),
    "human out": (
        "Yesterday {a} went after {b} and we lost a friend.",
        "{a} helped to lose {b} yesterday.",
    ),
    "quiet": (
        "{a} has said little so far.",
        "{a} is very quiet.",
        "We have not heard much from {a}.",
    ),
    "killed": (
        "We lost {a} last night.",
        "Poor {a} died last night.",
        "I am sorry for {a}.",
        "The night took {a} from us.",
    ),
    "no result": ("I have no result to tell.", "I have nothing special to report."),
    "unsure": (
        "I am not sure yet.",
        "There is little to go by yet.",
        "Let's listen to everybody first.",
        "I keep an open mind.",
        "I need to hear more.",
        "That does not settle it for me.",
    ),
    "together": ("Let's stand together today.", "We need one target today."),
    "follow": ("Wolf: I am on your side.",),
    "hide": ("Let's stay quiet and look harmless.", "I will act like a villager.", "I'll keep my head down by day."),
    "agreed": ("Agreed.", "Fine with me.", "Good choice."),
    "false seer": (
        "{a} is no seer.",
        "{a} cannot be the seer.",
        "Do not follow {a}.",
    ),
}
THOUGHTS: Mapping[str, tuple[str, str]] = {
    "suspect": ("{t} is a wolf with {p} percent.", "{t}が人狼である確率は{p}%だ。"),
    "scapegoat": ("The village may well vote {t} out.", "村は{t}を追放するかもしれない。"),
    "divine": ("About {t} I want to know more.", "{t}の正体を確かめたい。"),
    "guard": ("The wolves may want {t} dead.", "人狼は{t}を狙いそうだ。"),
    "attack": ("{t} is the greatest danger for us.", "{t}が一番邪魔だ。"),
    "claim": ("The village must know what I found out.", "結果を村に伝えなければならない。"),
    "fake": ("They shall take me for the seer.", "占い師だと思わせたい。"),
    "deny": ("I must not be voted out.", "追放されるわけにはいかない。"),
    "power": ("With the wolf I have the majority.", "人狼と組めば過半数だ。"),
    "talk": ("Perhaps somebody gives himself away.", "誰かがぼろを出すかもしれない。"),
    "over": ("I have said what I wanted to say.", "言うべきことは言った。"),
}
"""Why the player answered as it did, for the reveal at the end: English, Japanese."""
_SENTENCE = re.compile(r"(?<=[.!?。？])\s*")
SELVES = ("私", "自分")
STATEMENTS = tuple(key for key in ENGLISH if key.split()[0] in ("claim", "result", "estimate", "vote", "ask", "attack"))
REMARKS = tuple(key for key in ENGLISH if key not in STATEMENTS)


def key_of(statement: Statement) -> str:
    """Which templates say this statement."""
    match statement.what:
        case "claim":
            return f"claim {statement.role}"
        case "result":
            return f"result {statement.role or 'SEER'} {statement.result}"
        case "estimate":
            return f"estimate {statement.role}"
        case "ask":
            return " ".join(["ask", *(["name"] if statement.target else []), *filter(None, [statement.role])])
        case _:
            return statement.what


class Voice:
    """Puts statements and remarks into words, in the manner of one player, and not as somebody said it before."""

    def __init__(self, language: str, chance: random.Random) -> None:
        self._chance, self._self = chance, "私"
        self._heard: set[str] = set()
        self._words, self.space = (ENGLISH, " ") if language != "ja" else (POLITE, "")
        if language == "ja" and chance.random() < 0.5:
            self._words, self._self = PLAIN, chance.choice(SELVES)

    def state(self, statement: Statement) -> str:
        return self.remark(key_of(statement), t=statement.target)

    def hear(self, text: str) -> None:
        """Somebody said this; it is not said again in the same words while there are others."""
        self._heard.update(part for part in _SENTENCE.split(text) if part)

    def remark(self, key: str, **names: str) -> str:
        """One of the templates of a key."""
        texts = [template.format(I=self._self, **names) for template in self._words[key]]
        fresh = [text for text in texts if _SENTENCE.split(text)[0] not in self._heard]
        if not fresh:
            self._heard -= {_SENTENCE.split(text)[0] for text in texts}
        chosen = self._chance.choice(fresh or texts)
        self.hear(chosen)
        return chosen
