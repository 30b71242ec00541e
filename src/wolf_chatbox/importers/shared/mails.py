"""What the importers of mails share: a mail's own words, and the threads that mails are in (RFC 5322).

Threads are mixed in a mailbox: what is said is put on a shelf on the disk. The memory holds one mail, one thread, and a
digest of each mail and subject: a mailbox of 1 GiB with 344,110 mails takes 128 MiB.
"""

from __future__ import annotations

import email
import html
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.shared.messages import MEDIA, Message, conversations, from_iso
from wolf_chatbox.importers.streams.shelf import Shelf

INTRODUCTION = re.compile(
    # Long introductions are broken over two lines.
    r"^(?:On .{5,200}\n?.{0,100}wrote:|Am .{5,200}\n?.{0,100}schrieb.{0,200}:"
    r"|Le .{5,200}\n?.{0,100}a écrit\s?:|El .{5,200}\n?.{0,100}escribió:|.{4,120}のメール:|\d{4}年.{3,120}:"
    r"|-{2,}\s?(?:Original Message|Ursprüngliche Nachricht|Forwarded message|転送メッセージ).{0,20}-{2,}|_{8,}"
    r"|(?:From|Von|De|Da|Van|差出人|发件人|寄件者)\s?: .{1,200}\n"
    r"(?:Sent|Date|Gesendet|Datum|Envoyé|Enviado|Inviato|Verzonden|送信日時|发送时间|寄件日期)\s?: .{1,100})\s*$",
    re.MULTILINE,
)
PHONE = re.compile(
    r"\n(?:Sent from (?:my|Mail|Outlook)|Get Outlook for|Von meinem .{2,30} gesendet|Envoyé de mon|Enviado desde mi"
    r"|iPhoneから送信).{0,60}\s*\Z"
)
"""What a phone's mail app adds below a mail."""
SUBJECT = re.compile(r"^(?:(?:re|aw|fwd?|wg|sv|antw|tr|rv)\s?(?:\[\d+\])?:\s*)+", re.IGNORECASE)
MAX_MESSAGE = 50_000_000
MAX_HEADER = 4000
"""Characters of a header that are parsed: the parser takes the square of their number."""
SLOW = ("punycode", "idna")
"""Encodings of host names, not of mails: decoding takes the square of the length."""


@lru_cache(1000)
def _header(name: str, value: str) -> Any:
    """A parsed header; the email package parses it at each access, and most repeat an earlier one."""
    return default.header_factory(name, value[:MAX_HEADER])


POLICY = default.clone(header_factory=_header)


def threads_of(mails: Iterable[bytes], group: str, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield each thread, without quotes of earlier mails, signatures and attachments; `group` names those without one.

    `In-Reply-To` and `References` make a thread, or else the subject.
    """
    with Shelf() as shelf:
        _sort(mails, shelf, tally)
        for _, (subject, *records) in shelf.groups():
            messages = [Message(name, text, from_iso(time), kind) for name, text, time, kind in records]
            messages.sort(key=lambda message: message.time or datetime.min)
            yield from conversations(messages, subject or group, config, tally)


def _sort(mails: Iterable[bytes], shelf: Shelf, tally: Tally) -> None:
    """Put the mails on the shelf, by thread: first its subject, then what each mail says."""
    root: dict[bytes, int] = {}
    """The thread of a mail or a subject."""
    seen: set[bytes] = set()
    for raw in mails:
        try:
            message = email.message_from_bytes(raw, policy=POLICY)
            said = _message(message)
            mine = _raw(message, "Message-ID")
            related = re.findall(r"<[^<>\s]+>", f"{_raw(message, 'References')} {_raw(message, 'In-Reply-To')}")
            subject = " ".join(str(message.get("Subject") or "").split())
        except Exception:  # the parser raises all kinds of errors for broken mail
            tally.dropped["unreadable mail"] += 1
            continue
        subject = SUBJECT.sub("", subject)
        itself = _digest(mine, said.text)
        if mine and itself in seen:
            tally.dropped["mail already read"] += 1
            continue
        seen.add(itself)
        keys = [_digest(key) for key in (mine, *related) if key]  # a mail's own: an earlier mail may answer it
        about = _digest("subject", subject)
        known = [root[key] for key in (*keys, *([about] if related else [])) if key in root]
        thread = known[0] if known else len(shelf)
        for key in (*keys, about):
            root.setdefault(key, thread)
        if not known:
            shelf.put(thread, subject)
        shelf.put(thread, [said.speaker, said.text, said.time and said.time.isoformat(), said.kind])


def _digest(*parts: str) -> bytes:
    return blake2b("\0".join(parts).encode(errors="replace"), digest_size=12).digest()


def _message(message: EmailMessage) -> Message:
    name, address = parseaddr(_raw(message, "From"))
    date = message.get("Date")
    time = getattr(date, "datetime", None)
    if time is not None and time.tzinfo is not None:
        time = time.astimezone(UTC).replace(tzinfo=None)
    body = message.get_body(("plain", "html"))
    text = ""
    if body is not None:
        slow = body.get_content_charset() in SLOW
        text = bytes(body.get_payload(decode=True)).decode(errors="replace") if slow else body.get_content()
        if body.get_content_subtype() == "html":
            text = _plain(text)
    text = _said(text)
    speaker = _header("Subject", name).strip() or address
    if not text and (message.is_multipart() or message.get_content_maintype() != "text"):
        return Message(speaker, "<attachment>", time, MEDIA)
    return Message(speaker, text, time)


def _raw(message: EmailMessage, name: str) -> str:
    """A header as written, in one line."""
    value = next((value for key, value in message.raw_items() if key.lower() == name.lower()), "")
    return " ".join(str(value).encode(errors="surrogateescape").decode(errors="replace").split())


def _said(text: str) -> str:
    """A mail's own text, without quotes and signature."""
    text = text.replace("\r\n", "\n")
    if quoted := INTRODUCTION.search(text):
        text = text[: quoted.start()]
    text = text.partition("\n-- \n")[0]
    text = "\n".join(line for line in text.splitlines() if not line.startswith(">"))
    return PHONE.sub("", "\n" + text.rstrip()).strip()


def _plain(text: str) -> str:
    text = re.sub(r"(?is)<(style|script|blockquote)\b.*?(?:</\1\s*>|\Z)", "", text)
    text = re.sub(r"(?i)<(?:br|/p|/div|/li|/tr)\b[^<>]*>", "\n", text)
    return re.sub(r"\n{3,}", "\n\n", html.unescape(re.sub(r"<[^<>]*>", "", text)))
