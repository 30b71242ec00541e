"""Telegram Desktop's "Export chat history" and "Export Telegram data" as HTML: `messages.html`, `messages2.html`, ….

Form: export_output_html.cpp of https://github.com/telegramdesktop/tdesktop. It is English in every language of the app.
A message within 15 minutes of one by the same sender is `joined` to it, and has no name of its own.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from lxml.html import HtmlElement

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.messages import MEDIA, SYSTEM, Message, conversations, moment
from wolf_chatbox.importers.streams.html_stream import elements, text_of

BEGIN = re.compile(r'<div class="(?:message default clearfix|page_body chat_page)')
TITLE = re.compile(r'class="text bold">([^<]{1,500})<')
TIME = re.compile(r"(\d\d)\.(\d\d)\.(\d{4}) (\d\d):(\d\d):(\d\d)")
DATE_LINE = re.compile(r"message-\d+")
"""The id of a line between two days, which is no message."""
VIA = re.compile(r" via @\w{1,100}\Z")
MEDIA_CLASS = re.compile(r"(?:media_)?(\w+?)(?:_wrap)?\Z")
BESIDE = (
    r"(?:export_results|chats|left_chats|contacts|frequent|sessions|web_sessions|profile_pictures|stories)\.html"
    r"|.*\.(?:css|js|png|jpe?g|webp|tgs|ogg|oga|mp3|mp4|webm|pdf|vcard)"
)


def claims(head: str) -> bool:
    return head.lstrip().startswith("<") and bool(BEGIN.search(head))


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the chat with all its files, cut where it was silent; media, calls and service messages are counted.

    Times are those of the computer that wrote the export. Forwarded messages are of who forwarded them.
    """
    title = TITLE.search(source.head)
    group = " ".join(html.unescape(title[1]).split()) if title else ""
    yield from conversations(
        _messages(source, config, tally), group or source.folder.name or source.path.stem, config, tally
    )


def _messages(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Message]:
    speaker = ""
    for part in sorted((source, *source.more), key=_number):
        count = 0
        try:
            for element in elements(part, _is_message):
                if DATE_LINE.fullmatch(element.get("id", "")):
                    continue
                message = _message(element, speaker)
                speaker = message.speaker or speaker
                yield message
                count += 1
        except DataError as error:
            tally.leave(part.path, error, count, alone=not source.more, strict=config.strict)


def _number(part: Source) -> tuple[int, str]:
    """`messages2.html` comes before `messages10.html`."""
    digits = re.search(r"(\d{1,9})\.\w+\Z", part.path.name)
    return (int(digits[1]) if digits else 1), part.path.name


def _is_message(element: HtmlElement) -> bool:
    return str(element.get("class", "")).startswith(("message default", "message service"))


def _message(element: HtmlElement, speaker: str) -> Message:
    """A message; `speaker` is that of the one before it."""
    body = next((part for part in element if part.get("class", "").startswith("body")), element)
    if "service" in element.get("class", ""):
        return Message("", text_of(body), kind=SYSTEM)
    time = None
    for part in body:
        kind = part.get("class", "")
        if kind == "from_name":
            speaker = VIA.sub("", text_of(part))
        elif "date" in kind and (parts := TIME.match(part.get("title", ""))):
            day, month, year, *clock = map(int, parts.groups())
            time = moment(year, month, day, *clock)
    said = next((part for part in body.iter("div") if part.get("class") == "text"), None)
    if said is not None and (text := text_of(said, _emoji)):
        return Message(speaker, text, time)
    media = next((part for part in body.iter("div") if part.get("class", "").startswith("media_wrap")), None)
    if media is None:
        return Message(speaker, "", time)
    what = next((_medium(part) for part in media), "") or "media"
    return Message(speaker, f"<{what}>", time, SYSTEM if what == "call" else MEDIA)


def _emoji(element: HtmlElement) -> str | None:
    return str(element.get("alt", "")) if element.tag == "img" else None


def _medium(element: HtmlElement) -> str:
    """`photo` for the classes `photo_wrap clearfix pull_left` and `media clearfix pull_left block_link media_photo`."""
    names = element.get("class", "").split()
    known = next((name for name in names if name.startswith("media_") or name.endswith("_wrap")), "")
    return match[1] if (match := MEDIA_CLASS.match(known)) else ""


FORMAT = Format(
    title="Telegram (HTML)",
    documentation="https://telegram.org/blog/export-and-more",
    export="Telegram Desktop: chat ⋮ → Export chat history → HTML; or Settings → Advanced → Export Telegram data",
    notes=(
        "`messages.html`, `messages2.html`, … of a folder are one chat; captions are kept; the speaker of a forwarded "
        "message is who forwarded it; reactions and the buttons of bots are left out"
    ),
    claims=claims,
    read=read,
    joins=True,
    beside=BESIDE,
)
