"""SMS and MMS, as SMS Backup & Restore writes them in XML: all conversations of a phone in one file.

`<sms address="+44…" date="1709514753000" type="1" body="hello" contact_name="Ann" />`, and `<mms>` with `<part>` and
`<addr>` in it. Form: https://www.synctech.com.au/sms-backup-restore/fields-in-xml-backup-files/.

The app writes an emoji as the two halves of a surrogate pair (`&#55357;&#56832;`), which is no XML: they are put
together while the file is read, and what pictures hold (`data`) is left out there. All texts are held in memory,
because the conversations are mixed; pictures, nearly all of a large backup, are not.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TextIO, cast

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.messages import MEDIA, SYSTEM, Message, conversations, from_unix
from wolf_chatbox.importers.streams.xml_stream import Element, elements

RECEIVED, SENT, DRAFT, FAILED = "1", "2", "3", "5"
"""Values of `type` and `msg_box`."""
FROM = "137"
"""The type of the address that an MMS comes from; `insert-address-token` stands for the phone itself."""
ME = "Me"
NOBODY = ("", "null", "(Unknown)")
CONTENT = re.compile(r"[A-Za-z0-9+/=\s]*")
PICTURE = re.compile(rf'(\sdata="){CONTENT.pattern}')
OPEN = re.compile(r'\sdata="\Z')
_HIGH = r"5(?:5[2-9]\d\d|6[0-2]\d\d|63[01]\d)|x[dD][89abAB][0-9a-fA-F]{2}"
_LOW = r"5(?:63[2-9]\d|6[4-9]\d\d|7[0-2]\d\d|73[0-3]\d|734[0-3])|x[dD][c-fC-F][0-9a-fA-F]{2}"
REFERENCE = re.compile(rf"&#(\d{{1,7}}|x[0-9a-fA-F]{{1,6}});(?:&#({_LOW});)?")
"""A character by its number, and the second half of a pair."""
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
UNFINISHED = re.compile(r"(?:&[#\w]{0,9}|\s(?:d(?:a(?:t(?:a(?:=)?)?)?)?)?)\Z")
"""What the next piece of the file may complete: a reference, or the name before a picture."""
FIRST_HALF = re.compile(rf"&#(?:{_HIGH});\Z")
UNKNOWN = "\ufffd"


def claims(head: str) -> bool:
    return head.lstrip().startswith("<") and bool(re.search(r"<smses\b", head[:4000]))


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the conversations with each person and group, cut where they were silent; `Me` is the phone's owner.

    Drafts and what could not be sent are system messages. Times are UTC.
    """
    threads: dict[str, _Thread] = {}
    names: dict[str, str] = {}
    damage: DataError | None = None
    try:
        for element in elements(_Mended(source.path, source.encoding, source.head, copy=source.copy), ("smses",)):
            if element.opens or element.tag not in ("sms", "mms"):
                continue
            address = element.attributes.get("address", "")
            _learn(address, element.attributes.get("contact_name", ""), names)
            threads.setdefault(_key(address), _Thread()).add(element, address)
    except DataError as error:  # keep what was read before the damage
        damage = error
    for thread in threads.values():
        yield from conversations(thread.messages(names), thread.title(names), config, tally)
    if damage:
        raise damage


def _key(address: str) -> str:
    """A conversation by its numbers, however they are written: their last nine digits."""
    return "~".join(sorted(map(_number, address.split("~"))))


def _number(address: str) -> str:
    digits = re.sub(r"\D", "", address)
    return digits[-9:] if len(digits) > 6 else address.strip().lower()


def _learn(address: str, contact: str, names: dict[str, str]) -> None:
    """Remember who has a number. A group's contacts stand in the order of its numbers."""
    numbers = address.split("~")
    contacts = contact.split(", ") if len(numbers) > 1 else [contact]
    if len(numbers) == len(contacts):
        for number, name in zip(numbers, contacts):
            if name.strip() not in NOBODY:
                names.setdefault(_number(number), name.strip())


@dataclass
class _Thread:
    """A conversation with somebody, or with a group."""

    address: str = ""
    said: list[Message] = field(default_factory=list)
    """The messages; a speaker is an address until all names are known."""

    def add(self, element: Element, address: str) -> None:
        self.address = self.address or address
        self.said.append(_sms(element, address) if element.tag == "sms" else _mms(element, address))

    def title(self, names: dict[str, str]) -> str:
        return ", ".join(names.get(_number(number), number) for number in self.address.split("~")) or "unknown"

    def messages(self, names: dict[str, str]) -> Iterator[Message]:
        for message in self.said:
            yield message._replace(speaker=names.get(_number(message.speaker), message.speaker))


def _sms(element: Element, address: str) -> Message:
    kind, body = element.attributes.get("type", RECEIVED), element.attributes.get("body", "")
    text = "" if body == "null" else body
    return Message(_speaker(kind, address), text, _time(element), SYSTEM if kind in (DRAFT, FAILED) else "")


def _mms(element: Element, address: str) -> Message:
    kind = element.attributes.get("msg_box", RECEIVED)
    inside = [inner for child in element.children for inner in (child.children or [child])]
    parts = [inner.attributes for inner in inside if inner.tag == "part"]
    said = [part.get("text", "") for part in parts if part.get("ct") == "text/plain"]
    text = "\n".join(piece for piece in said if piece not in NOBODY)
    if not text and (subject := element.attributes.get("sub", "")) not in NOBODY:
        text = subject
    senders = [inner.attributes.get("address", "") for inner in inside if inner.attributes.get("type") == FROM]
    sender = next((sender for sender in senders if sender not in ("insert-address-token", *NOBODY)), address)
    media = any(part.get("ct") not in ("text/plain", "application/smil", None) for part in parts)
    unsaid = SYSTEM if kind in (DRAFT, FAILED) else MEDIA if media and not text else ""
    return Message(_speaker(kind, sender), text or ("<media>" if unsaid else ""), _time(element), unsaid)


def _speaker(kind: str, address: str) -> str:
    return address if kind == RECEIVED else ME


def _time(element: Element) -> datetime | None:
    stamp = element.attributes.get("date", "")
    return from_unix(int(stamp) / 1000) if re.fullmatch(r"\d{1,15}", stamp) else None


@dataclass(frozen=True)
class _Mended(Source):
    """The file as XML: without pictures, its characters whole."""

    def open_text(self) -> TextIO:
        return cast(TextIO, _Mender(super().open_text()))


class _Mender(io.TextIOBase):
    """A text that is mended while it is read, in pieces of any size."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._rest = ""
        self._in_picture = False

    def close(self) -> None:
        self._file.close()
        super().close()

    def read(self, size: int | None = -1) -> str:
        while True:
            piece = self._file.read(size or -1)
            text, self._rest = self._rest + piece, ""
            if self._in_picture and (content := CONTENT.match(text)):
                text = text[content.end() :]
                if not text and piece:
                    continue
            self._in_picture = False
            text = PICTURE.sub(r"\1", text)
            if OPEN.search(text[-7:]):
                self._in_picture = True
            elif piece:
                text, self._rest = _parted(text)
            text = CONTROLS.sub(UNKNOWN, REFERENCE.sub(_character, text))
            if text or not piece:
                return text


def _parted(text: str) -> tuple[str, str]:
    """The text up to what the next piece may complete, and that."""
    ending = text[-20:]
    cut = found.start() if (found := UNFINISHED.search(ending)) else len(ending)
    if half := FIRST_HALF.search(ending[:cut]):
        cut = half.start()
    cut += len(text) - len(ending)
    return text[:cut], text[cut:]


def _character(match: re.Match[str]) -> str:
    """A reference as XML may hold it: pairs put together, and `\ufffd` for what is no character."""
    first = _code(match[1])
    if match[2]:
        if 0xD800 <= first < 0xDC00:
            return chr(0x10000 + ((first - 0xD800) << 10) + _code(match[2]) - 0xDC00)
        return _alone(first, match[1]) + UNKNOWN
    return _alone(first, match[1])


def _alone(code: int, written: str) -> str:
    legal = code in (9, 10, 13) or 0x20 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or 0x10000 <= code < 0x110000
    return f"&#{written};" if legal else UNKNOWN


def _code(written: str) -> int:
    return int(written[1:], 16) if written.startswith("x") else int(written)


FORMAT = Format(
    title="SMS, MMS (SMS Backup & Restore XML)",
    documentation="https://www.synctech.com.au/sms-backup-restore/fields-in-xml-backup-files/",
    export="SMS Backup & Restore on Android → Back up now → messages",
    notes=(
        "one chat per contact or group; `Me` is the phone's owner; times are UTC; broken emoji are repaired; drafts "
        "and messages that could not be sent are system messages"
    ),
    claims=claims,
    read=read,
)
