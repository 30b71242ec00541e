"""Protect the people in a conversation: invented names for the speakers, marks in place of addresses and numbers."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from wolf_chatbox.conversation import Conversation, parse_json
from wolf_chatbox.errors import DataError

EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
URL = re.compile(r"(?:https?://|www\.)[^\s<>\"'()（）「」、。]{2,2000}", re.IGNORECASE)
IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}(?!\w)", re.IGNORECASE | re.ASCII)
CARD = re.compile(r"(?<![\w-])\d(?:[ -]?\d){12,18}(?![\w-])")
COORDINATES = re.compile(
    r"(?<![\w.])(?:-?\d{1,2}\.\d{4,10}\s?[,;]\s?-?\d{1,3}\.\d{4,10}(?![\w.])|\d{1,2}°\s?[\d.]{1,8}['′]\s?(?:[\d.]{1,8}[\"″])?\s?[NS][\s,]{1,3}"
    r"\d{1,3}°\s?[\d.]{1,8}['′]\s?(?:[\d.]{1,8}[\"″])?\s?[EW])"
)
PHONE = re.compile(r"(?<![\w./-])(?<!\d:)(?:\+|00|\(?0|(?=\(?\d{3}\)?[-. ]\s?\d{3}[-. ]\d{4}))[\d()][\d ()./-]{6,20}\d(?![\w/:-])")
GAP = re.compile(r"[ -]")
DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\b")

# No real names: a reader must see at once that nobody is called so.
SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeio"]
KANA = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロ"
CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
TITLES = re.compile(
    r"the|old|young|big|little|mrs?|ms|miss|dr|doctor|prof|professor|sir|lady|lord|captain|father|mother|brother|sister|uncle|aunt|grandma|grandpa"
    r"|mom|mum|dad|king|queen|prince|princess|saint|general|major|sergeant|officer|agent|judge|president|nurse|san|kun|chan|sensei",
    re.IGNORECASE,
)
"""Words of names that name nobody by themselves."""
WORD = re.compile(r"[^\W\d_]{3,}")


def scrub(text: str, found: Counter[str]) -> str:
    """The text with addresses and numbers of people replaced by marks; what was replaced is counted by kind in `found`.

    A card number must pass Luhn's check (ISO/IEC 7812-1), an IBAN its remainder of 97 (ISO 13616).
    """

    def marked(kind: str, pattern: re.Pattern[str], text: str, holds: Callable[[str], bool] = lambda _: True) -> str:
        def replace(match: re.Match[str]) -> str:
            # What follows a number may look like more of it: a card's "12/27", an IBAN's BIC.
            for end in (len(match[0]), *(gap.start() for gap in reversed([*GAP.finditer(match[0])]))):
                if holds(match[0][:end]):
                    found[kind] += 1
                    return f"[{kind}]" + pattern.sub(replace, match[0][end:])
            return match[0]

        return pattern.sub(replace, text)

    text = marked("email", EMAIL, text)
    text = marked("url", URL, text)
    text = marked("iban", IBAN, text, is_iban)
    text = marked("card", CARD, text, is_card)
    text = marked("coordinates", COORDINATES, text)
    return marked("phone", PHONE, text, _is_phone)


def is_card(text: str) -> bool:
    """Whether the digits of a text are a payment card's number: 13 to 19 of them, with Luhn's check digit."""
    digits = [int(each) for each in text if each.isdigit()]
    doubled = sum(sum(divmod(2 * each, 10)) for each in digits[-2::-2])
    return 13 <= len(digits) <= 19 and (doubled + sum(digits[-1::-2])) % 10 == 0


def is_iban(text: str) -> bool:
    """Whether a text is an International Bank Account Number."""
    code = text.replace(" ", "")
    return 15 <= len(code) <= 34 and int("".join(str(int(each, 36)) for each in code[4:] + code[:4])) % 97 == 1


def _is_phone(text: str) -> bool:
    return 8 <= sum(each.isdigit() for each in text) <= 15 and not DATE.fullmatch(text.strip("() "))


class Pseudonyms:
    """Invented names for speakers and groups, kept in a key file so that they are the same the next time.

    Raises DataError when the key file is none.
    """

    def __init__(self, key: Path) -> None:
        self.key = key
        self.names: dict[str, str] = {}
        self.groups: dict[str, str] = {}
        if key.exists():
            value = parse_json(key.read_text(encoding="utf-8"), str(key))
            parts = [value.get(part) for part in ("speakers", "groups")] if isinstance(value, dict) else []
            if len(parts) != 2 or not all(isinstance(part, dict) and all(isinstance(each, str) for each in part.values()) for part in parts):
                raise DataError(f"{key}: no key of pseudonyms. Name another file; a new one is made where there is none.")
            self.names, self.groups = value["speakers"], value["groups"]

    def learn(self, conversations: Sequence[Conversation]) -> None:
        """Invent names for the speakers and groups that have none yet, and write the key file."""
        taken = set(self.names.values())
        draw = random.SystemRandom()
        for speaker in dict.fromkeys(name for conversation in conversations for name in conversation.names()):
            if speaker not in self.names and speaker not in ("system", "user", "assistant"):
                name = invent(draw, CJK.search(speaker) is not None)
                while name in taken or name in self.names:
                    name = invent(draw, CJK.search(speaker) is not None)
                taken.add(name)
                self.names[speaker] = name
        for group in dict.fromkeys(conversation.group for conversation in conversations):
            self.groups.setdefault(group, f"group {len(self.groups) + 1}")
        new = self.key.with_name(self.key.name + ".writing")
        try:
            new.touch(mode=0o600)
            new.write_text(json.dumps({"speakers": self.names, "groups": self.groups}, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
            new.replace(self.key)
        except OSError as error:
            raise DataError(f"{self.key}: the key of the pseudonyms cannot be written ({error.strerror}). Name another file.") from error

    def apply(self, conversations: Iterable[Conversation], found: Counter[str]) -> list[Conversation]:
        """The conversations under invented names; mentions in the texts are counted in `found`."""
        words = self._mentions()
        # Longest first: "Ann Oar" before "Ann". Names of words stand alone; Chinese and Japanese ones have no spaces around them.
        names = sorted(words, key=len, reverse=True)
        whole = [re.escape(each) for each in names if not CJK.search(each)]
        parts = [*([rf"(?<!\w)(?:{'|'.join(whole)})(?!\w)"] if whole else []), *(re.escape(each) for each in names if CJK.search(each))]
        pattern = re.compile("|".join(parts)) if parts else None

        def hidden(text: str) -> str:
            if pattern is None:
                return text
            text, count = pattern.subn(lambda match: words[match[0]], text)
            found["mentioned name"] += count
            return text

        def named(name: str) -> str:
            return self.names.get(name, name)

        return [
            Conversation(
                tuple(turn._replace(speaker=named(turn.speaker), text=hidden(turn.text)) for turn in conversation.turns),
                self.groups.get(conversation.group, ""),
                conversation.game and conversation.game.changed(named, hidden).without_facts(),
            )
            for conversation in conversations
        ]

    def now(self, name: str | None) -> str | None:
        """The invented name of a speaker whose own name is given, whatever its case; any other name as it is."""
        folded = {own.casefold(): invented for own, invented in self.names.items()}
        return folded.get(name.casefold(), name) if name is not None else None

    def _mentions(self) -> dict[str, str]:
        """What stands in a text for a speaker: the name, and its words, where they are one speaker's only."""
        owners: dict[str, set[str]] = {}
        for speaker, name in self.names.items():
            for word in {
                speaker,
                *(each for each in WORD.findall(speaker) if (each[0].isupper() or CJK.search(each)) and not TITLES.fullmatch(each)),
            }:
                for form in (word, word.upper(), word.lower()) if word == speaker else (word, word.upper()):
                    if len(form) > 1:
                        owners.setdefault(form, set()).add(name)
        shared = {speaker: name for speaker, name in self.names.items() if len(speaker) > 1}
        return {word: min(names) for word, names in owners.items()} | shared


def invent(draw: random.Random, japanese: bool) -> str:
    """A name that nobody has: two or three syllables, in katakana for a name that is written in Japanese or Chinese."""
    if japanese:
        return "".join(draw.choices(KANA, k=3))
    return "".join(draw.choices(SYLLABLES, k=draw.choice((2, 3)))).capitalize()
