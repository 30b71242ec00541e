"""What characters' cards tell: it holds in every conversation of the data, whichever file it comes from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from wolf_chatbox.conversation import Conversation, addressed, folded
from wolf_chatbox.data.split import count_speakers, partner_of
from wolf_chatbox.samples.styles import SYSTEM, USER
from wolf_chatbox.scene import Scene


@dataclass(frozen=True)
class Cards:
    """What cards say of the characters, by their names; `{{user}}` stands for whoever talks with one."""

    briefings: Mapping[str, str] = field(default_factory=dict)
    """What each knows before anybody has spoken."""
    greetings: Mapping[str, str] = field(default_factory=dict)
    """What each says first."""
    user: str = USER
    """Who talks with a character where nobody is named."""

    @classmethod
    def of(cls, run: Mapping[str, Any], user: str) -> Cards:
        """Those that the record of a run keeps."""
        return cls(run.get("briefings", {}), run.get("greetings", {}), user)

    def record(self) -> dict[str, Any]:
        """What the record of a run keeps."""
        parts = {"briefings": dict(self.briefings), "greetings": dict(self.greetings)}
        return {name: texts for name, texts in parts.items() if texts}

    def brief(self, scene: Scene, user: str | None = None) -> Scene:
        """A scene after what its speaker, and nobody else, knows by its card.

        One that has an opening, or begins with a system turn, has been told something else and stays as it is.
        """
        if scene.turns and scene.turns[0].speaker == SYSTEM:
            return scene
        return scene.briefed(addressed(self.briefings.get(scene.speaker or "", ""), user or self.user))

    def greeting(self, name: str, user: str | None = None) -> str:
        """What a character says first, or nothing."""
        return addressed(self.greetings.get(name, ""), user or self.user)


NO_CARDS = Cards()


@dataclass(frozen=True)
class Introduced:
    """Conversations whose speakers know what their cards say."""

    conversations: list[Conversation]
    """Those of the cards come first."""
    count: int = 0
    """How many come from cards, unless all of them do: they are never held out."""
    cards: Cards = NO_CARDS

    def notices(self) -> list[str]:
        """In how many conversations each card holds."""
        held = Counter(name for talk in self.conversations for name in talk.briefings)
        return [f"{name}'s card is the briefing of {count} conversations" for name, count in held.items()]


def introduce(conversations: list[Conversation]) -> Introduced:
    """Brief all characters in all conversations with what their cards say; games of werewolf tell enough themselves.

    A character's name is written as in the chats, whatever its case and width on the card. Who talks with it most there
    takes the place of the card's nameless user.
    """
    cards = [talk for talk in conversations if talk.briefings]
    others = [talk for talk in conversations if not talk.briefings]
    if not cards:
        return Introduced(conversations)
    spelled = _spelled(others or cards)
    cards = [talk.changed(lambda name: spelled.get(folded(name), name), str) for talk in cards]
    briefings: dict[str, str] = {}
    greetings: dict[str, str] = {}
    for talk in cards:
        for name, text in talk.briefings.items():
            briefings.setdefault(name, text)
            if [turn.speaker for turn in talk.turns] == [name]:
                greetings.setdefault(name, talk.turns[0].text)
    partners = {name: partner_of(name, others) or USER for name in briefings}
    told = {folded(name): addressed(text, partners[name]) for name, text in briefings.items() if text}
    briefed = [_briefed(talk, told) for talk in (*(_joined(talk, partners) for talk in cards), *others)]
    count = sum(bool(talk.turns) for talk in cards) if others else 0
    briefings = {name: text for name, text in briefings.items() if text}
    return Introduced([talk for talk in briefed if talk.turns], count, Cards(briefings, greetings))


def _spelled(conversations: Iterable[Conversation]) -> dict[str, str]:
    """How each name is written most often, by its folded form."""
    return {folded(name): name for name, _ in reversed(count_speakers(conversations).most_common())}


def _joined(talk: Conversation, partners: Mapping[str, str]) -> Conversation:
    """A card's conversation with the name of its character's partner."""
    partner = next(partners[name] for name in talk.briefings)
    return talk.changed(lambda name: partner if name == USER else name, lambda text: addressed(text, partner))


def _briefed(talk: Conversation, told: Mapping[str, str]) -> Conversation:
    if talk.game is not None:
        return talk
    speakers = dict.fromkeys(turn.speaker for turn in talk.turns)
    return replace(talk, briefings={name: told[folded(name)] for name in speakers if folded(name) in told})
