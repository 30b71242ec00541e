"""Invented names for the speakers and groups of conversations, and a file that keeps who is who."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from wolf_chatbox.conversation import Conversation, folded, parse_json
from wolf_chatbox.data.privacy.mentions import Mentions
from wolf_chatbox.errors import DataError
from wolf_chatbox.files import check_place, new_file

# No real names: a reader must see at once that nobody is called so.
SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeio"]
KANA = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロ"
CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
ROLES = ("system", "user", "assistant")
"""Speakers that are nobody."""
NO_KEY = "no key of pseudonyms. Name another file; a new one is made where there is none."


class Pseudonyms:
    """Invented names for speakers and groups, kept in a key file so that they are the same the next time.

    Names that differ only in case, width or the composition of accents are one person's. Raises DataError when the key
    file is none, and CheckpointError where no file can be.
    """

    def __init__(self, key: Path) -> None:
        self.key = key
        self.names: dict[str, str] = {}
        self.groups: dict[str, str] = {}
        self.doubts: list[str] = []
        """What `apply` could not be sure of; it quotes the names."""
        check_place(key, overwrite=True)
        if key.exists():
            self.names, self.groups = _read_key(key)
        self._invented = {folded(own): invented for own, invented in self.names.items()}

    def learn(self, conversations: Sequence[Conversation]) -> None:
        """Invent names for the speakers and groups that have none yet, and write the key file, for its owner's eyes only."""
        taken = {folded(each) for each in self.names.values()}
        draw = random.SystemRandom()
        for speaker in dict.fromkeys(name for conversation in conversations for name in conversation.names()):
            if speaker in self.names or speaker in ROLES:
                continue
            name = self._invented.get(folded(speaker))
            while name is None or (
                folded(speaker) not in self._invented and (folded(name) in taken or folded(name) in self._invented)
            ):
                name = invent(draw, CJK.search(speaker) is not None)
            taken.add(folded(name))
            self.names[speaker] = self._invented[folded(speaker)] = name
        for group in dict.fromkeys(
            each for conversation in conversations for each in (conversation.group, _recording(conversation)) if each
        ):
            self.groups.setdefault(group, f"group {len(self.groups) + 1}")
        with new_file(self.key, overwrite=True, mode=0o600) as file:
            file.write(json.dumps({"speakers": self.names, "groups": self.groups}, ensure_ascii=False, indent=1) + "\n")

    def apply(self, conversations: Iterable[Conversation], found: Counter[str]) -> list[Conversation]:
        """The conversations under invented names; mentions in the texts are counted in `found`, doubts kept in `doubts`."""
        mentions = Mentions(self.names)

        def hidden(text: str) -> str:
            text, count = mentions.replace(text)
            found["mentioned name"] += count
            return text

        changed = []
        for conversation in conversations:
            game = conversation.game and conversation.game.changed(self._named, hidden).without_facts()
            game = game and replace(game, same_as=self.groups.get(game.same_as, ""))
            turns = tuple(
                turn._replace(speaker=self._named(turn.speaker), text=hidden(turn.text)) for turn in conversation.turns
            )
            changed.append(Conversation(turns, self.groups.get(conversation.group, ""), game))
        self.doubts = mentions.doubts()
        return changed

    def now(self, name: str | None) -> str | None:
        """The invented name of a speaker whose own name is given, whatever its case; any other name as it is."""
        return self._invented.get(folded(name), name) if name is not None else None

    def _named(self, name: str) -> str:
        return name if name in ROLES else self._invented.get(folded(name), name)


def name_now(name: str | None, key: Path | None) -> str | None:
    """The name that a speaker goes by now: the one that a key file has for it, or its own. Raises what Pseudonyms does."""
    return name if key is None else Pseudonyms(key).now(name)


def _recording(conversation: Conversation) -> str:
    return conversation.game.same_as if conversation.game else ""


def _read_key(key: Path) -> tuple[dict[str, str], dict[str, str]]:
    try:
        value = parse_json(key.read_text(encoding="utf-8"), str(key))
    except UnicodeDecodeError as error:
        raise DataError(f"{key}: {NO_KEY}") from error
    except OSError as error:
        raise DataError(f"{key}: cannot be read ({error.strerror}). Name another file.") from error
    parts = [value.get(part) for part in ("speakers", "groups")] if isinstance(value, dict) else []
    if len(parts) != 2 or not all(
        isinstance(part, dict) and all(isinstance(each, str) for each in part.values()) for part in parts
    ):
        raise DataError(f"{key}: {NO_KEY}")
    return value["speakers"], value["groups"]


def invent(draw: random.Random, japanese: bool) -> str:
    """A name that nobody has: two or three syllables, in katakana for a name that is written in Japanese or Chinese."""
    if japanese:
        return "".join(draw.choices(KANA, k=3))
    return "".join(draw.choices(SYLLABLES, k=draw.choice((2, 3)))).capitalize()
