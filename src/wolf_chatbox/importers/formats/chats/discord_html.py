"""Discord, as DiscordChatExporter writes it in HTML, a file a channel; bots that write transcripts use its classes too.

Form: https://github.com/Tyrrrz/DiscordChatExporter (MessageGroupTemplate). Messages of one author within seven minutes
are a group; until 2021 only its first had a time. Every id tells the exact time in UTC (https://discord.com/developers/
docs/reference#snowflakes); the dates that are shown, of any region, only tell how far that is from local time.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from lxml.html import HtmlElement

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.discord_notices import NOTICE, name_of
from wolf_chatbox.importers.shared.locale_dates import time_of
from wolf_chatbox.importers.shared.messages import MEDIA, SYSTEM, Message, conversations, from_unix
from wolf_chatbox.importers.streams.html_stream import elements, text_of

GROUP, MESSAGE, CONTENT = "chatlog__message-group", "chatlog__message", "chatlog__content"
TITLE = re.compile(r"<title>([^<]{1,300})</title>", re.IGNORECASE)
AUTHORS = ("chatlog__author", "chatlog__author-name", "chatlog__system-notification-author")
TIMES = ("chatlog__timestamp", "chatlog__system-notification-timestamp", "chatlog__short-timestamp")
NOTICES = "chatlog__system-notification-content"
MEDIA_CLASSES = ("chatlog__attachment", "chatlog__embed", "chatlog__sticker", "chatlog__forwarded")
EPOCH = 1_420_070_400_000
"""Milliseconds from 1970 to 2015, where Discord's ids begin."""
QUARTER = timedelta(minutes=15)
"""Regions are whole quarters of an hour apart, and at most 14 hours from UTC."""


def claims(head: str) -> bool:
    return head.lstrip().startswith("<") and GROUP in head


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the channel, cut where it was silent. Joins, pins and calls, and messages without words, are counted."""
    title = TITLE.search(source.head)
    group = " ".join(html.unescape(title[1]).split()) if title else ""
    yield from conversations(_messages(source), group or source.path.stem, config, tally)


def _messages(source: Source) -> Iterator[Message]:
    clock = _Clock()
    for group in elements(source, lambda element: _class(element) == GROUP):
        speaker = shown = ""
        for number, found in _parts(group):
            times = next((found[name] for name in TIMES if name in found), None)
            if times is not None:
                shown = times.get("title", "") if _class(times) == TIMES[-1] else text_of(times)
            author = next((found[name] for name in AUTHORS if name in found), None)
            speaker = speaker if author is None else text_of(author)
            if number is not None:
                yield _message(found, name_of(speaker), clock.time(number, shown))


def _parts(group: HtmlElement) -> Iterator[tuple[str | None, dict[str, HtmlElement]]]:
    """The id of each message, and its elements by their classes; before them, without an id, the head of the group."""
    parts = list(group.iter("div", "span"))
    begins = {part for part in parts if part.get("data-message-id") and _class(part) != CONTENT}
    begins = begins or {part for part in parts if _class(part) == MESSAGE} or {group}
    number: str | None = None
    found: dict[str, HtmlElement] = {}
    for part in parts:
        if part in begins:
            yield number, found
            number, found = part.get("data-message-id", ""), {}
        found.setdefault(_class(part), part)
    yield number, found


def _message(found: dict[str, HtmlElement], speaker: str, time: datetime | None) -> Message:
    """A message of the elements in it, by their classes."""
    if NOTICES in found:
        return Message(speaker, text_of(found[NOTICES]), time, SYSTEM)
    text = text_of(found[CONTENT], _shown, lines=True).strip() if CONTENT in found else ""
    if NOTICE.fullmatch(text):
        return Message(speaker, text, time, SYSTEM)
    if not speaker:  # bots put their notices into a group without an author
        return Message("", text, time, SYSTEM)
    if not text and any(name.startswith(MEDIA_CLASSES) for name in found):
        return Message(speaker, "<attachment>", time, MEDIA)
    return Message(speaker, text, time)


def _class(element: HtmlElement) -> str:
    """The first of the element's classes: the others are variants (`chatlog__message--pinned`)."""
    return str(element.get("class", "")).partition(" ")[0]


def _shown(element: HtmlElement) -> str | None:
    """Emoji are images; quotes are marked as they were typed; `(edited)`, and bots' files, stand in the text."""
    if element.tag == "img":
        return str(element.get("alt", ""))
    if element.get("data-message-id"):  # another message, within this one that is not closed
        return ""
    if _class(element) == "chatlog__markdown-quote":
        return "> " + text_of(element, _shown, lines=True).strip().replace("\n", "\n> ") + "\n"
    return "" if _class(element).startswith(("chatlog__edited-timestamp", *MEDIA_CLASSES)) else None


class _Clock:
    """Local times: the exact ones of the ids, moved by what the last readable date told."""

    def __init__(self) -> None:
        self._away = timedelta()

    def time(self, number: str, shown: str) -> datetime | None:
        """The time of a message; of the shown date alone where the id is none."""
        found = [time for order in ("mdy", "dmy", "ymd") if (time := time_of(shown, order))]
        exact = from_unix(((int(number) >> 22) + EPOCH) / 1000) if number.isdecimal() and len(number) < 20 else None
        if exact is None:
            return found[0] if found else None
        for time in found:
            if abs(time - exact) < timedelta(hours=15):
                self._away = round((time - exact) / QUARTER) * QUARTER
                break
        return exact.replace(microsecond=0) + self._away


FORMAT = Format(
    title="Discord (DiscordChatExporter HTML)",
    documentation="https://github.com/Tyrrrz/DiscordChatExporter",
    export="DiscordChatExporter → format HTML (dark or light)",
    notes=(
        "all versions and regions; names are the nicknames on the server; embeds, reactions and quoted messages are "
        "left out"
    ),
    claims=claims,
    read=read,
)
