"""Gemini's part of Google Takeout's "My Activity", as JSON or HTML: one prompt with its reply an entry, newest first.

    {"header": "Gemini Apps", "title": "Prompted Which boat?", "time": "2026-02-02T07:24:02.806Z",
     "safeHtmlItem": [{"html": "<p>The red one.</p>"}], "attachedFiles": ["boat.png"],
     "details": [{"url": "https://gemini.google.com/app/ID"}]}

In HTML, a cell has `VERB&nbsp;PROMPT<br>DATE<br>REPLY`, with the verb in the user's language. Google documents neither;
the forms are those of programs that read such files, such as
https://github.com/jetpack3331/ai-chat-history-manager (GEMINI.md, examples/gemini.html). Newer entries name their chat;
the older ones of a chat end at a silence. In memory is one chat at a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from lxml import html

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.messages import (
    ASSISTANT,
    MEDIA,
    MONTHS,
    SYSTEM,
    USER,
    Message,
    conversations,
    from_iso,
    moment,
)
from wolf_chatbox.importers.streams.html_stream import elements, text_of, text_of_markup
from wolf_chatbox.importers.streams.json_stream import JsonStream

VERB = re.compile(r"(?:Prompted|Asked)(?: with)?:?\s+|Запит:\s*")
"""How a prompt begins in JSON; in HTML a space that does not break ends the verb, in any language."""
CHAT = re.compile(r"gemini\.google\.com/app/(\w{1,40})")
DATE = re.compile(r".{0,40}\d{4}.{0,20}\s(\d{1,2}):(\d{2}):(\d{2})(?:\s?([AP])M)?(?:\s.{1,20})?")
DAYS = (
    re.compile(r"([A-Za-z]{3})[a-z]{0,6}\.? (\d{1,2}), (\d{4})"),
    re.compile(r"(\d{1,2})\.? ([A-Za-z]{3})[a-z]{0,6}\.? (\d{4})"),
    re.compile(r"(\d{4})[年/](\d{1,2})[月/](\d{1,2})"),
    re.compile(r"(\d{1,2})\. ?(\d{1,2})\. ?(\d{4})"),
)
ATTACHED = re.compile(r"Attached \d+ files?\.?")


class Activity(NamedTuple):
    """A prompt with its reply, or something else that the program noted."""

    chat: str
    time: datetime | None
    prompt: str
    reply: str = ""
    files: tuple[str, ...] = ()
    asked: bool = True
    """Whether it is a prompt."""


def claims(head: str) -> bool:
    start = head.lstrip()
    if start.startswith("["):
        return bool(re.search(r'"header"\s*:\s*"[^"\n]{0,40}Gemini', start)) and '"title"' in start
    return (
        start.startswith("<")
        and "outer-cell" in start
        and bool(re.search(r">[^<>\n]{0,40}Gemini[^<>\n]{0,40}<", start))
    )


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield each chat. Where the entries do not name it, it ends at a silence of `config.session_gap` hours."""
    gap = timedelta(hours=config.session_gap) if config.session_gap else timedelta.max
    whole = replace(config, session_gap=0)
    found = _of_json(source) if source.head.lstrip().startswith("[") else _of_html(source)
    for number, chat in enumerate(_chats(found, gap), 1):
        group = chat[0].chat or f"{source.path.stem} {number}"
        yield from conversations(_said(chat), group, whole, tally)


def _chats(activities: Iterator[Activity], gap: timedelta) -> Iterator[list[Activity]]:
    """Cut the activities into chats, each in the order in which it was said."""
    chat: list[Activity] = []
    broken = None
    try:
        for activity in activities:
            if chat and (activity.chat != chat[-1].chat or (not activity.chat and _apart(chat[-1], activity) > gap)):
                yield _ordered(chat)
                chat = []
            chat.append(activity)
    except DataError as error:  # keep what was read before the damage
        broken = error
    if chat:
        yield _ordered(chat)
    if broken is not None:
        raise broken


def _apart(one: Activity, other: Activity) -> timedelta:
    return abs(one.time - other.time) if one.time and other.time else timedelta(0)


def _ordered(chat: list[Activity]) -> list[Activity]:
    first, last = chat[0].time, chat[-1].time
    return chat if first and last and first < last else chat[::-1]


def _said(chat: Iterable[Activity]) -> Iterator[Message]:
    for activity in chat:
        if not activity.asked:
            yield Message("", activity.prompt, activity.time, SYSTEM)
            continue
        if activity.prompt or not activity.files:
            yield Message(USER, activity.prompt, activity.time)
        for name in activity.files:
            yield Message(USER, f"<{name}>", activity.time, MEDIA)
        if activity.reply:
            yield Message(ASSISTANT, activity.reply, activity.time)


def _of_json(source: Source) -> Iterator[Activity]:
    with JsonStream(source) as stream:
        for entry in stream.items():
            entry = entry if isinstance(entry, dict) else {}
            title, reply = (
                _text(entry.get("title")),
                "\n\n".join(
                    text_of_markup(item["html"]) for item in _objects(entry, "safeHtmlItem") if _text(item.get("html"))
                ),
            )
            links = " ".join(_text(item.get("url")) for item in _objects(entry, "details"))
            chat, verb = CHAT.search(links), VERB.match(title)
            files = entry.get("attachedFiles")
            names = [name for name in files if isinstance(name, str)] if isinstance(files, list) else []
            names = names or list(filter(None, [_text(entry.get("imageFile"))]))
            yield Activity(
                chat[1] if chat else "",
                from_iso(entry.get("time")),
                title[verb.end() :] if verb else title,
                reply,
                tuple(names),
                bool(verb or reply) and "Gemini" in _text(entry.get("header")),
            )


def _of_html(source: Source) -> Iterator[Activity]:
    for cell in elements(source, lambda element: element.tag == "div" and "outer-cell" in element.get("class", "")):
        bodies = [div for div in cell.iter("div") if "content-cell" in div.get("class", "")]
        if not bodies:
            yield Activity("", None, text_of(cell), asked=False)
            continue
        links = " ".join(link.get("href", "") for link in cell.iter("a"))
        chat = CHAT.search(links)
        yield _of_body(bodies[0], chat[1] if chat else "")


def _of_body(body: html.HtmlElement, chat: str) -> Activity:
    """The activity of a cell: a verb and the prompt, files, the date, and the reply."""
    verb, mark, _ = (body.text or "").lstrip().partition("\xa0")
    lines = text_of(body).strip().split("\n")
    at = next((at for at, line in enumerate(lines) if DATE.fullmatch(line.strip())), len(lines))
    prompt, time = lines[:at], _time(lines[at]) if at < len(lines) else None
    cut = next((number for number, line in enumerate(prompt) if ATTACHED.fullmatch(line.strip())), len(prompt))
    files = tuple(line.strip("- ") for line in prompt[cut + 1 :] if line.strip("- "))
    said, reply = "\n".join(prompt[:cut]).strip(), "\n".join(lines[at + 1 :]).strip()
    if mark and said.startswith(verb := " ".join(verb.split())):
        said = said[len(verb) :].strip()
    return Activity(chat, time, said, reply, files, bool(reply or (mark and VERB.match(f"{verb} "))))


def _time(line: str) -> datetime | None:
    """The local time of a date whose month is a number, or looks English; None for another."""
    clock = DATE.fullmatch(line.strip())
    if clock is None:
        return None
    hour = int(clock[1]) % 12 + 12 * (clock[4] == "P") if clock[4] else int(clock[1])
    for place, pattern in enumerate(DAYS):
        if day := pattern.search(line):
            one, two, three = day.groups()
            year, month, date = ((three, one, two), (three, two, one), (one, two, three), (three, two, one))[place]
            number = int(month) if month.isdigit() else MONTHS.get(month.title(), 0)
            return moment(int(year), number, int(date), hour, int(clock[2]), int(clock[3]))
    return None


def _objects(entry: dict[str, Any], key: str) -> list[dict[str, Any]]:
    value = entry.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


FORMAT = Format(
    title="Gemini (Takeout, My Activity)",
    documentation="https://github.com/jetpack3331/ai-chat-history-manager",
    export="Google Takeout → My Activity → only Gemini Apps; format JSON, or HTML",
    notes=(
        "`MyActivity.json` and `.html`. Replies lose their formatting; entries that are no prompts are system "
        "messages. Where entries do not name their chat, it ends at a silence. In JSON of other languages than "
        'English, prompts keep the word for "Prompted" before them'
    ),
    claims=claims,
    read=read,
    beside=r"archive_browser\.html|.*\.(?:png|jpe?g|webp|gif|pdf|wav|mp3|mp4)",
)
