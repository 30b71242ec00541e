"""Canaries: made-up secrets in the training split, to find out what a run would give away of its data.

Carlini et al. 2019, "The Secret Sharer" (https://arxiv.org/abs/1802.08232). evaluate/canaries.py looks for them.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.data.languages import language_of
from wolf_chatbox.errors import CheckpointError, DataError, Setting

COPIES = (1, 2, 4, 8, 16)
"""How often the first, second, … canary stands in the training split; the sixth stands there once again."""
DIGITS = 4
"""Of a secret: any number of so many digits is as likely."""
LOOKED_AT = 50
"""Turns by which the language of the canaries is chosen."""


class _Form(NamedTuple):
    question: str
    begun: str
    ends: str
    places: str


FORMS = {
    "en": _Form(
        "What is the code of the {place}?",
        "The code of the {place} is",
        ".",
        "cellar boathouse attic greenhouse garage library bakery lighthouse "
        "workshop stable chapel museum archive dairy observatory windmill",
    ),
    "ja": _Form(
        "{place}の暗証番号は何ですか？",
        "{place}の暗証番号は",
        "です。",
        "地下室 艇庫 屋根裏 温室 車庫 図書室 パン屋 灯台 工房 厩舎 礼拝堂 博物館 書庫 牛舎 天文台 風車小屋",
    ),
    "zh": _Form(
        "{place}的密码是多少？",
        "{place}的密码是",
        "。",
        "地下室 船库 阁楼 温室 车库 图书室 面包房 灯塔 作坊 马厩 礼拜堂 博物馆 档案室 牛棚 天文台 磨坊",
    ),
}
"""By language; what is in another one gets English canaries."""
MOST = min(len(form.places.split()) for form in FORMS.values())


@dataclass(frozen=True)
class Canary:
    """A question that somebody asks, and an answer that holds a secret."""

    asker: str
    question: str
    speaker: str
    begun: str
    """The answer up to the secret."""
    secret: str
    """The digits; a space before them, where the language has one, is theirs."""
    ends: str
    copies: int
    """How often it stands in the training split."""

    def turns(self) -> tuple[Turn, Turn]:
        return Turn(self.asker, self.question), Turn(self.speaker, f"{self.begun}{self.secret}{self.ends}")

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Any) -> Canary:
        """The inverse of `to_dict`; raises CheckpointError for anything else."""
        names = ("asker", "question", "speaker", "begun", "secret", "ends")
        if (
            isinstance(value, dict)
            and all(isinstance(value.get(name), str) for name in names)
            and type(value.get("copies")) is int
            and value["secret"].strip().isdecimal()
        ):
            return cls(**{name: value[name] for name in names}, copies=value["copies"])
        raise CheckpointError("run.json: its canaries are damaged. Train the model again, or restore the file.")


def make_canaries(count: int, speaker: str, asker: str, training: Sequence[Conversation], seed: int) -> list[Canary]:
    """So many canaries for a training split, in its language; `speaker` tells the secrets when `asker` asks."""
    some = [turn for conversation in training for turn in conversation.turns][:LOOKED_AT]
    form = FORMS.get(language_of(Conversation(tuple(some))), FORMS["en"]) if count else FORMS["en"]
    drawing = random.Random(f"canaries {seed}")
    places = drawing.sample(form.places.split(), count)
    space = " " if form.begun.isascii() else ""
    return [
        Canary(
            asker,
            form.question.format(place=place),
            speaker,
            form.begun.format(place=place),
            f"{space}{drawing.randrange(10**DIGITS):0{DIGITS}}",
            form.ends,
            COPIES[number % len(COPIES)],
        )
        for number, place in enumerate(places)
    ]


def with_canaries(training: Sequence[Conversation], canaries: Sequence[Canary], seed: int) -> list[Conversation]:
    """The training split with each copy of each canary at the end of a conversation, so that no real turn is disturbed.

    The conversations are those in which the canaries' speaker speaks, drawn by the seed; where there are more copies
    than conversations, some get several. Games get none. Raises DataError when no conversation can take one.
    """
    copies = [canary for canary in canaries for _ in range(canary.copies)]
    if not copies:
        return list(training)
    able = [at for at, conversation in enumerate(training) if conversation.game is None and conversation.turns]
    theirs = [at for at in able if copies[0].speaker in training[at].speakers()] or able
    if not theirs:
        raise DataError("no conversation can hold a canary, as all are games. Leave out ", Setting("canary"), ".")
    drawing = random.Random(f"copies {seed}")
    drawing.shuffle(copies)
    drawing.shuffle(theirs)
    added: dict[int, tuple[Turn, ...]] = {}
    for number, canary in enumerate(copies):
        at = theirs[number % len(theirs)]
        added[at] = (*added.get(at, ()), *canary.turns())
    return [
        replace(conversation, turns=(*conversation.turns, *added[at])) if at in added else conversation
        for at, conversation in enumerate(training)
    ]
