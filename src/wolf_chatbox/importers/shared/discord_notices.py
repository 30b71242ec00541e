"""What DiscordChatExporter's texts, tables and pages share: notices in place of a message, names, dates.

Form: https://github.com/Tyrrrz/DiscordChatExporter, PlainTextMessageExtensions, Message and User.
"""

from __future__ import annotations

import re

from wolf_chatbox.importers.files.source import Source

NOTICE = re.compile(
    r"(?:Added (?:a recipient|.{1,100} to the group)|Left the group|Removed (?:a recipient|.{1,100} from the group)"
    r"|Started a call that lasted \d{1,9} minutes|Changed the channel (?:name: .{1,200}|name\.|icon\.)"
    r"|Pinned a message|Started a thread|Joined the server)\.?"
)
"""What stands for a message that nobody said."""
DISCRIMINATOR = re.compile(r"#\d{4}\Z")
CHUNK = 1 << 20


def name_of(author: str) -> str:
    """The name without its number: `ann` of `ann#1234`, as accounts were called until 2023."""
    return DISCRIMINATOR.sub("", author)


def dates_in(source: Source, pattern: re.Pattern[str]) -> list[str]:
    """Up to 5,000 dates of a file, the first group of the pattern, without two of one in a row."""
    found: list[str] = []
    with source.open_text() as file:
        rest = ""
        while len(found) < 5000 and (piece := file.read(CHUNK)):
            for match in pattern.finditer(rest + piece):
                if not found or found[-1] != match[1]:
                    found.append(match[1])
            rest = piece[-200:]
    return found
