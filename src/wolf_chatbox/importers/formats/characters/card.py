"""A character's card, which programs such as SillyTavern and RisuAI chat by: its greetings, examples and description.

Versions 1 and 2 (https://github.com/malfoyslastname/character-card-spec-v2), 3
(https://github.com/kwaroran/character-card-spec-v3), and the form before them (`char_name`), as JSON or in the texts of
a PNG. Each greeting and each example is a conversation; the other texts that a prompt would have are the character's
briefing. Notes for people (`creator_notes`, `tags`, …) are not read. `{{user}}` stays in the texts: whoever
trains or talks has the name.

A card is one value and its texts belong together, so it is read whole; a larger one than MOST_BYTES is refused.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import PARTNER, Conversation, parse_json
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.files.source import PNG, Source, clean
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.messages import SYSTEM, Message, conversations
from wolf_chatbox.importers.streams.png_text import CARDS, MOST_BYTES, text_of

USER = "user"
"""The speaker of examples who has no name."""
OLD = {
    "char_name": "name",
    "char_persona": "description",
    "world_scenario": "scenario",
    "char_greeting": "first_mes",
    "example_dialogue": "mes_example",
}
"""The names of the fields before version 1, which SillyTavern reads too."""
SPEC = re.compile(r'(?<!\\)"spec"\s{0,9}:\s{0,9}"chara_card_v\d"')
KEYS = (
    (r"first_mes", r"mes_example|personality|scenario|description"),
    (r"char_name", r"char_persona|char_greeting|example_dialogue"),
)
START = re.compile(r"<START>", re.IGNORECASE)
MACROS = (
    (re.compile(r"\{\{\s{0,9}user\s{0,9}\}\}|<user>", re.IGNORECASE), PARTNER),
    (re.compile(r"\{\{\s{0,9}(?:original|(?://|hidden_key:|comment:)[^{}]{0,5000})\}\}", re.IGNORECASE), ""),
    (re.compile(r"\{\{\s{0,9}(?:random|pick)::?((?:[^{},:]|:(?!:)){0,5000})[^{}]{0,5000}\}\}", re.IGNORECASE), r"\1"),
)
"""What stands for something else in a card's texts; of several choices the first is taken."""
CHARACTER = re.compile(r"\{\{\s{0,9}char\s{0,9}\}\}|<bot>|<char>", re.IGNORECASE)
SOMEBODY = re.compile(r"\{\{\s{0,9}(\w{1,40})\s{0,9}\}\}[:：]")
"""The label of somebody else in an example."""
DECORATOR = re.compile(r"^@@@?\w.*$", re.MULTILINE)


def claims(head: str) -> bool:
    """Whether this is a PNG with a card, or a JSON object with the keys of one."""
    if head.startswith(PNG):
        return True
    return head.lstrip().startswith("{") and (
        bool(SPEC.search(head)) or any(all(re.search(_key(name), head) for name in names) for names in KEYS)
    )


def _key(names: str) -> str:
    return rf'(?<!\\)"(?:{names})"\s{{0,9}}:'


@dataclass(frozen=True)
class Card:
    """What is read of a card."""

    name: str
    called: str
    """What `{{char}}` stands for."""
    fields: Mapping[str, Any]

    @classmethod
    def of(cls, value: Any, where: str) -> Card:
        """The card in a JSON value; raises DataError, beginning with `where`, where it is none."""
        root = value if isinstance(value, dict) else {}
        data = root.get("data")
        fields = {**root, **data} if isinstance(data, dict) else root
        fields = {OLD.get(name, name): field for name, field in fields.items()}
        name, nickname = (" ".join(clean(found).split()) for found in map(_text, map(fields.get, ("name", "nickname"))))
        if not name:
            raise DataError(f'{where}: not a character\'s card, as it gives no "name". Save the card again.')
        # Pseudonyms replace a name and its words: a nickname of other words would stay.
        return cls(name, nickname if nickname and nickname in name.split() else name, fields)

    def text(self, field: str) -> str:
        return self.filled(_text(self.fields.get(field)))

    def filled(self, text: str) -> str:
        """A text with what its macros stand for, but for `{{user}}`."""
        for pattern, instead in MACROS:
            text = pattern.sub(instead, text)
        return clean(CHARACTER.sub(lambda _: self.called, text).replace("\r\n", "\n"))

    def briefing(self) -> str:
        """What the character knows, line by line.

        Of one that is too long the lines after the first are left out, one by one. So what matters least comes second.
        """
        first, _, more = self.text("description").partition("\n")
        rest = ("system_prompt", "post_history_instructions")
        parts = [first, *self._lore(), *map(self.text, rest), more, self.text("personality"), self.text("scenario")]
        lines = (line.strip() for part in parts for line in part.split("\n"))
        return "\n".join(line for line in lines if line)

    def _lore(self) -> list[str]:
        """The texts of the character's book, those that always hold last."""
        book = self.fields.get("character_book")
        entries = book.get("entries") if isinstance(book, dict) else None
        found = [entry for entry in _list(entries) if isinstance(entry, dict) and entry.get("enabled") is not False]
        found.sort(key=lambda entry: (entry.get("constant") is True, _number(entry.get("insertion_order"))))
        return [self.filled(DECORATOR.sub("", _text(entry.get("content")))) for entry in found]

    def talks(self) -> Iterator[list[Message]]:
        """The greetings, and then the examples."""
        if first := self.text("first_mes"):
            yield [Message(self.name, first)]
        for field in ("alternate_greetings", "group_only_greetings"):
            yield from ([Message(self.name, self.filled(_text(text)))] for text in _list(self.fields.get(field)))
        for block in START.split(self.text("mes_example")):
            yield list(self._said(block))

    def _said(self, block: str) -> Iterator[Message]:
        """The messages of an example; lines without a label go on with the message before."""
        speaker, lines = "", list[str]()
        for line in [*block.split("\n"), None]:
            label = ("", "") if line is None else self._label(line.strip())
            if label is None:
                lines.append(line or "")
                continue
            if text := "\n".join(lines).strip():
                yield Message(speaker, text, kind="" if speaker else SYSTEM)
            speaker, lines = label[0], [label[1]]

    def _label(self, line: str) -> tuple[str, str] | None:
        """Who begins to speak in a line, and what is said there."""
        for word, speaker in ((self.called, self.name), (self.name, self.name), (PARTNER, USER), ("you", USER)):
            label, rest = line[: len(word)], line[len(word) :].lstrip()
            if rest[:1] in (":", "：") and label.casefold() == word.casefold():
                return speaker, rest[1:].strip()
        other = SOMEBODY.match(line)
        return (other[1], line[other.end() :].strip()) if other else None


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield each greeting and each example, with the briefing; a card that has neither gives one without turns."""
    card = Card.of(_value(source), str(source.path))
    briefings = {card.name: card.briefing()}
    empty = True
    for messages in card.talks():
        for conversation in conversations(messages, source.path.stem, config, tally):
            empty = False
            yield replace(conversation, briefings=briefings)
    if empty:
        yield Conversation((), source.path.stem, briefings=briefings)


def _value(source: Source) -> Any:
    """The JSON value of a card's file."""
    where = str(source.path)
    if not source.head.startswith(PNG):
        with source.open_text() as file:
            text = file.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:
            raise DataError(f"{where}: longer than {MOST_BYTES >> 20} MiB, so it is no character's card. Leave it out.")
        return parse_json(text.removeprefix("\ufeff"), where)
    for keyword in CARDS:
        with source.open_bytes() as file:
            content = text_of(file, keyword, where)
        if content is not None:
            break
    try:
        text = base64.b64decode((content or b"") + b"==").decode("utf-8")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise DataError(f"{where}: its card is not UTF-8 in base64 ({error}). Save the card again.") from error
    return parse_json(text, where)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _number(value: Any) -> float:
    return value if isinstance(value, int | float) else 0


FORMAT = Format(
    title="character card (V1, V2, V3)",
    documentation="https://github.com/kwaroran/character-card-spec-v3",
    export="SillyTavern: the character → ⋯ → Export (PNG or JSON); RisuAI: Export (PNG, JSON, CharX)",
    notes=(
        "JSON, PNG with a card inside, CharX. Each greeting and each example is a conversation. Description, "
        "personality, scenario, instructions and lorebook become the character's briefing: it stands before every "
        "conversation in which the character speaks, and is never learnt. `{{user}}` becomes who talks with it most"
    ),
    claims=claims,
    read=read,
)
