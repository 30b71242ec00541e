"""Discord, as DiscordChatExporter writes it in CSV, a file a channel: `AuthorID,Author,Date,Content,Attachments,…`.

Form: https://github.com/Tyrrrz/DiscordChatExporter (CsvMessageWriter).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.formats.scripts.script import rows
from wolf_chatbox.importers.shared.discord_notices import NOTICE, dates_in, name_of
from wolf_chatbox.importers.shared.locale_dates import DATE, Dates
from wolf_chatbox.importers.shared.messages import MEDIA, SYSTEM, Message, conversations

HEADER = re.compile(r'"?AuthorID"?[,;]"?Author"?[,;]"?Date"?[,;]"?Content"?[,;]')
DATES = re.compile(rf'[,;]"?({DATE})"?[,;]')
MAX_ROW = 4000
"""Lines of the file that a message may span: Discord's longest has 4,000 characters."""


def claims(head: str) -> bool:
    return bool(HEADER.match(head.lstrip()))


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the channel, cut where it was silent. Joins, pins and calls, and messages without words, are counted."""
    dates = Dates(dates_in(source, DATES))
    if not dates.certain:
        tally.note(source.path.name, f"cannot tell whether days or months come first, read as {dates.order}")
    yield from conversations(_messages(source, dates), source.path.stem, config, tally)


def _messages(source: Source, dates: Dates) -> Iterator[Message]:
    numbered = rows(source, MAX_ROW)
    next(numbered, None)
    for _, row in numbered:
        _, author, date, text, attachments, *_ = (*row, *[""] * 5)
        speaker, time = name_of(author), dates.time(date)
        if NOTICE.fullmatch(text.strip()):
            yield Message(speaker, text, time, SYSTEM)
        elif not text.strip() and attachments:
            yield Message(speaker, attachments, time, MEDIA)
        else:
            yield Message(speaker, text, time)


FORMAT = Format(
    title="Discord (DiscordChatExporter CSV)",
    documentation="https://github.com/Tyrrrz/DiscordChatExporter",
    export="DiscordChatExporter → format CSV",
    notes="the dates of all versions; messages of stickers or embeds only have no text, and are dropped",
    claims=claims,
    read=read,
)
