"""Single mails (RFC 5322): an `.eml` file, a folder or an archive of them, a Maildir.

The mails of a folder are read together, so that a thread may be in several files. Outlook's `.msg` is another, binary
format, and is not read: save as `.eml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import WIDE, Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.mails import MAX_MESSAGE, threads_of

HEADER = re.compile(r"([!-9;-~]{1,80}):[^\n]*\n?")
NEEDED = {"from", "date"}
OTHERS = {"message-id", "mime-version", "received", "return-path", "to", "subject", "delivered-to", "content-type"}
ENOUGH = 3
"""Headers that a mail has at least: `From`, `Date`, and one of the others."""


def claims(head: str) -> bool:
    found: set[str] = set()
    for line in head.lstrip("\ufeff").splitlines(keepends=True):
        if not line.strip():
            break
        if line[0] in " \t":  # a header goes on
            continue
        match = HEADER.fullmatch(line)
        if match is None:
            return False
        found.add(match[1].lower())
    return found >= NEEDED and len(found & (NEEDED | OTHERS)) >= ENOUGH


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield each thread, without quotes of earlier mails, signatures and attachments."""
    group = source.folder.name if source.more else source.path.stem
    yield from threads_of(map(_mail, (source, *source.more)), group or source.path.stem, config, tally)


def _mail(source: Source) -> bytes:
    if source.encoding in WIDE.values():
        return source.text().encode()
    with source.open_bytes() as file:
        return file.read(MAX_MESSAGE)


FORMAT = Format(
    title="mails (.eml)",
    documentation="https://www.rfc-editor.org/rfc/rfc5322",
    export="save or drag mails from Thunderbird, Apple Mail, Outlook on the web or Gmail (⋮ → Download message)",
    notes=(
        "one file, or a folder, an archive or a Maildir of them; one conversation per thread; quotes and signatures "
        "are removed; Outlook's `.msg` is not read"
    ),
    claims=claims,
    read=read,
    suffixes=(".eml",),
    joins=True,
)
