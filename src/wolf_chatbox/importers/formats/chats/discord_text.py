"""Discord, as DiscordChatExporter writes it in plain text, a file a channel: `[01-May-24 06:30 PM] ann#1234`.

Form: https://github.com/Tyrrrz/DiscordChatExporter (PlainTextMessageWriter). A message's text stands below its header;
attachments, embeds, stickers and reactions follow below a mark in braces. Dates are of the region of the computer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.discord_notices import NOTICE, dates_in, name_of
from wolf_chatbox.importers.shared.locale_dates import DATE, Dates
from wolf_chatbox.importers.shared.messages import MEDIA, SYSTEM, Message, conversations

RULE = "=" * 62
HEADER = re.compile(rf"\[({DATE})\] (\S[^\n]{{0,100}})$", re.MULTILINE)
PLACE = re.compile(r"(Guild|Channel|Topic|After|Before): (.*)")
MARKS = ("{Attachments}", "{Embed}", "{Embeds}", "{Stickers}", "{Reactions}")
MEDIA_MARKS = MARKS[:-1]
EXPORTED = re.compile(r"Exported [\d.,'\s\u00a0\u202f]{1,30} message\(s\)")
PINNED = " (pinned)"


def claims(head: str) -> bool:
    """Whether the head begins with the rule and the server's name."""
    lines = head.lstrip("\n").split("\n", 3)
    return len(lines) > 2 and lines[0] == RULE and lines[1].startswith("Guild:") and lines[2].startswith("Channel:")


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the channel, cut where it was silent. Joins, pins and calls, and messages without words, are counted."""
    dates = Dates(dates_in(source, HEADER))
    if not dates.certain:
        tally.note(source.path.name, f"cannot tell whether days or months come first, read as {dates.order}")
    place = {match[1]: match[2] for line in source.head.splitlines()[1:3] if (match := PLACE.match(line))}
    group = " ".join(filter(None, (place.get("Guild"), place.get("Channel"))))
    yield from conversations(_messages(source, dates), group or source.path.stem, config, tally)


def _messages(source: Source, dates: Dates) -> Iterator[Message]:
    header: re.Match[str] | None = None
    body: list[str] = []
    blank = True
    rules = 0
    for line in source.lines():
        line = line.rstrip("\n")
        # A header stands below an empty line; one within a text was typed or pasted.
        if blank and line.startswith("[") and (match := HEADER.match(line)):
            if header:
                yield _message(header, body, dates)
            header, body = match, []
        elif header:
            body.append(line)
        elif line == RULE:
            rules += 1
        elif line.strip() and rules != 1:  # between the rules stand the server, the channel, its topic
            yield Message("", line, kind=SYSTEM)
        blank = not line.strip()
    if header:
        yield _message(header, _without_foot(body), dates)


def _without_foot(body: list[str]) -> list[str]:
    """The lines before `Exported 3 message(s)` between two rules, at the end of the file."""
    lines = [number for number, line in enumerate(body) if line.strip()][-3:]
    foot = [body[number] for number in lines]
    if len(foot) == 3 and foot[0] == foot[2] == RULE and EXPORTED.fullmatch(foot[1]):
        return body[: lines[0]]
    return body


def _message(header: re.Match[str], body: list[str], dates: Dates) -> Message:
    speaker, time = name_of(header[2].removesuffix(PINNED)), dates.time(header[1])
    at = next(
        (number for number, line in enumerate(body) if line in MARKS and (not number or not body[number - 1])),
        len(body),
    )
    text = "\n".join(body[:at]).strip()
    if NOTICE.fullmatch(text):
        return Message(speaker, text, time, SYSTEM)
    if not text and any(line in MEDIA_MARKS for line in body[at:]):
        return Message(speaker, "<attachment>", time, MEDIA)
    return Message(speaker, text, time)


FORMAT = Format(
    title="Discord (DiscordChatExporter text)",
    documentation="https://github.com/Tyrrrz/DiscordChatExporter",
    export="DiscordChatExporter → format TXT",
    notes=(
        "the dates of all versions and regions; the whole file decides whether the day or the month comes first. "
        "Embeds and reactions are left out"
    ),
    claims=claims,
    read=read,
)
