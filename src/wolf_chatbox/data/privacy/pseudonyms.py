"""Invented names for the speakers and groups of conversations, and the key file that maps names to pseudonyms."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from wolf_chatbox.conversation import Conversation, folded, parse_json
from wolf_chatbox.data.privacy.mentions import Mentions
from wolf_chatbox.errors import DataError
from wolf_chatbox.files import check_place, new_file

# Not real names: a reader must see at once that nobody is called that.
SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeio"]
KANA = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロ"
CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
ROLES = ("system", "user", "assistant")
"""Speakers that are nobody."""
NO_KEY = "not a key file of pseudonyms. Name another file; if it does not exist, it is created."


@dataclass(frozen=True)
class Pseudonyms:
    """Invented names by people's own names, and numbers by groups' own names; a key file keeps them for the next time.

    Names that differ only in case, width or the composition of accents belong to one person.
    """

    names: Mapping[str, str]
    groups: Mapping[str, str]

    @classmethod
    def read(cls, key: Path) -> Pseudonyms:
        """Those of a key file, or none if there is no such file.

        Raises DataError if the file is not a key file, CheckpointError if no file can be written there.
        """
        check_place(key, overwrite=True)
        return cls(*_read_key(key)) if key.exists() else cls({}, {})

    def write(self, key: Path) -> None:
        """Write the key file; only its owner may read it."""
        with new_file(key, overwrite=True, mode=0o600) as file:
            value = {"speakers": dict(self.names), "groups": dict(self.groups)}
            file.write(json.dumps(value, ensure_ascii=False, indent=1) + "\n")

    def extended(self, conversations: Sequence[Conversation]) -> Pseudonyms:
        """With names for the speakers and groups of these conversations that have none yet."""
        names, groups, invented = dict(self.names), dict(self.groups), dict(self._invented)
        speakers = dict.fromkeys(name for conversation in conversations for name in conversation.names())
        taken = {folded(name) for name in (*speakers, *names, *names.values())}
        draw = random.SystemRandom()
        for speaker in speakers:
            if speaker in names or speaker in ROLES:
                continue
            person = folded(speaker)
            if person not in invented:
                japanese = CJK.search(speaker) is not None
                invented[person] = next(name for name in _names(draw, japanese) if folded(name) not in taken)
                taken.add(folded(invented[person]))
            names[speaker] = invented[person]
        for conversation in conversations:
            for group in filter(None, (conversation.group, _recording(conversation))):
                groups.setdefault(group, f"group {len(groups) + 1}")
        return Pseudonyms(names, groups)

    def hide(self, conversations: Iterable[Conversation], found: Counter[str]) -> tuple[list[Conversation], list[str]]:
        """The conversations under invented names; mentions in the texts are counted in `found`.

        Returns with them what is uncertain, one line each; the lines quote names.
        """
        mentions = Mentions(self.names)

        def hidden(text: str) -> str:
            text, count = mentions.replace(text)
            found["mentioned name"] += count
            return text

        changed = []
        for conversation in conversations:
            known = conversation.changed(self._named, hidden)
            game = known.game and replace(known.game.without_facts(), same_as=self.groups.get(known.game.same_as, ""))
            changed.append(replace(known, group=self.groups.get(conversation.group, ""), game=game))
        return changed, mentions.doubts()

    def now(self, name: str | None) -> str | None:
        """The invented name of a speaker, whatever the case of the name given; any other name as it is."""
        return self._invented.get(folded(name), name) if name is not None else None

    @cached_property
    def _invented(self) -> dict[str, str]:
        return {folded(own): invented for own, invented in self.names.items()}

    def _named(self, name: str) -> str:
        return name if name in ROLES else self._invented.get(folded(name), name)


def name_now(name: str | None, key: Path | None) -> str | None:
    """The name of a speaker after cleaning: its pseudonym in the key file, or its own; raises what `read` raises."""
    return name if key is None else Pseudonyms.read(key).now(name)


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
        isinstance(part, dict) and all(isinstance(name, str) for name in part.values()) for part in parts
    ):
        raise DataError(f"{key}: {NO_KEY}")
    return value["speakers"], value["groups"]


def _names(draw: random.Random, japanese: bool) -> Iterator[str]:
    """Names that nobody has: two or three syllables, in katakana for a name that is written in Japanese or Chinese."""
    while True:
        if japanese:
            yield "".join(draw.choices(KANA, k=3))
        else:
            yield "".join(draw.choices(SYLLABLES, k=draw.choice((2, 3)))).capitalize()
