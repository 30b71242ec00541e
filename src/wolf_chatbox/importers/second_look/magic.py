"""What a file that is no text is, by its first bytes, and what to do with it.

The signatures are those of https://www.garykessler.net/library/file_sigs.html and of the formats' own documentation.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import IO

from wolf_chatbox.importers.second_look.look import Seen

AS_TEXT = "Export the conversations as CSV, JSON or text."
OF_APP = "Export the chat in the app, as text or JSON, and pass that."


BEGINNINGS: tuple[tuple[bytes, Seen], ...] = (
    (rb"%PDF-\d", Seen("pdf", "a PDF document", "Copy its text into a .txt file, lines NAME: text.")),
    (rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8[79]a|RIFF....WEBP|II\*\0|MM\0\*|BM....\0\0\0\0|\0\0\0.ftyp(?:hei|mif|avi)",
     Seen("picture", "a picture", AS_TEXT)),
    (rb"ID3[\x02-\x04]|\xff[\xfb\xf3\xf2]|OggS|fLaC|#!AMR|RIFF....WAVE|\0\0\0.ftypM4[AB]|FORM....AIF",
     Seen("audio", "a sound recording", "Write down what is said, lines NAME: text.")),
    (rb"\0\0\0.ftyp|\x1aE\xdf\xa3|RIFF....AVI |FLV\x01|\0\0\x01[\xba\xb3]",
     Seen("video", "a video", "Pass its subtitles (.srt, .vtt) or a transcript.")),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
     Seen("office", "a document of an older Office program", "Save it as text, or a table as CSV.")),
    (rb"\x80[\x02-\x05][\x80-\x95(}\]cN]",
     Seen("pickle", "a Python pickle, which could run code", "It is never loaded: write its conversations as JSON.")),
    (rb"\x93NUMPY|\x89HDF\r\n|GGUF|.{6}\0\0\{\"",
     Seen("weights", "a file of arrays or model weights", "Pass conversations; a model goes to --model.")),
    (rb"ARROW1\0\0|\xff\xff\xff\xff....\x10\0\0\0",
     Seen("arrow", "an Arrow table", "Save it as Parquet, CSV or JSON.")),
    (rb"\x1f\x8b|\x28\xb5\x2f\xfd|7z\xbc\xaf\x27\x1c|\xfd7zXZ\0|BZh\d1AY|Rar!\x1a\x07|\x04\x22\x4d\x18",
     Seen("archive", "a packed file", "Unpack it, and pass what is in it.")),
    (rb"\x7fELF|MZ.{40,}?PE\0\0|\xca\xfe\xba\xbe|\xcf\xfa\xed\xfe|\0asm\x01|!<arch>\n",
     Seen("program", "a program", AS_TEXT)),
)  # fmt: skip
"""How files begin, as patterns, and what they are."""
SIGNATURES = [(re.compile(pattern, re.DOTALL), seen) for pattern, seen in BEGINNINGS]
ZIP = b"PK\x03\x04"
IN_ZIP: tuple[tuple[bytes, Seen], ...] = (
    (rb"word/", Seen("word", "a Word document (DOCX)", "Save it as plain text (.txt).")),
    (rb"xl/", Seen("sheet", "an Excel table (XLSX)", "Save it as CSV.")),
    (rb"ppt/", Seen("slides", "PowerPoint slides (PPTX)", AS_TEXT)),
    (rb"mimetypeapplication/vnd\.oasis\.opendocument\.spreadsheet", Seen("sheet", "a table (ODS)", "Save it as CSV.")),
    (rb"mimetypeapplication/vnd\.oasis", Seen("word", "an OpenDocument file", "Save it as plain text (.txt).")),
    (rb"mimetypeapplication/epub", Seen("book", "an e-book (EPUB)", "Copy its text into a .txt file.")),
    (rb"(?:archive|[^/]{1,60})/data\.pkl", Seen("weights", "a model of PyTorch", "Pass conversations.")),
    (rb"AndroidManifest\.xml|META-INF/", Seen("program", "a program (APK or JAR)", AS_TEXT)),
)
PACKED = Seen("archive", "a zip archive", "Unpack it, and pass the folder.")
SQLITE = b"SQLite format 3\0"
OF_DATABASE = 1 << 22
"""Bytes of a database in which its tables are looked for."""
CREATED = re.compile(rb"CREATE TABLE (?:IF NOT EXISTS )?[\"'`\[]?(\w{1,60})", re.IGNORECASE)
DATABASES: tuple[tuple[set[str], Seen], ...] = (
    ({"chat_message_join", "message", "handle"},
     Seen("imessage-db", "the database of iMessage (chat.db)",
          "Export it with imessage-exporter (-f txt), and pass its folder.")),
    ({"message", "chat", "jid"},
     Seen("whatsapp-db", "WhatsApp's database on Android (msgstore.db)",
          "In WhatsApp: chat → More → Export chat, and pass that file.")),
    ({"messages", "chat_list", "wa_contacts"},
     Seen("whatsapp-db", "WhatsApp's database on Android (msgstore.db)",
          "In WhatsApp: chat → More → Export chat, and pass that file.")),
    ({"ZWAMESSAGE", "ZWACHATSESSION"},
     Seen("whatsapp-db", "WhatsApp's database on the iPhone (ChatStorage.sqlite)",
          "In WhatsApp: chat → Export chat, and pass that file.")),
    ({"conversations", "messages", "sessions", "preKeys"},
     Seen("signal-db", "Signal's database", "Export it with signal-export, and pass its folder.")),
    ({"sms", "threads", "pdu"},
     Seen("sms-db", "the SMS database of an Android phone (mmssms.db)",
          "Save the messages with the app SMS Backup & Restore, as XML.")),
    ({"chat_history", "groups", "contacts"}, Seen("line-db", "LINE's database", OF_APP)),
    ({"chat_logs"}, Seen("kakao-db", "KakaoTalk's database", OF_APP)),
    ({"EventInfo", "ChatInfo"}, Seen("viber-db", "Viber's database", OF_APP)),
    ({"moz_places"}, Seen("browser-db", "a browser's history", AS_TEXT)),
)  # fmt: skip
"""The tables that tell an app's database."""
BACKUPS: tuple[tuple[re.Pattern[str], Seen], ...] = (
    (re.compile(r".*\.crypt\d{1,2}", re.IGNORECASE | re.DOTALL),
     Seen("whatsapp-backup", "an encrypted backup of WhatsApp",
          "In WhatsApp: chat → More → Export chat, and pass that file.")),
    (re.compile(r"signal-[-\d]{8,30}\.backup", re.IGNORECASE),
     Seen("signal-backup", "an encrypted backup of Signal",
          "Export the chats of Signal Desktop with signal-export, and pass its folder.")),
)  # fmt: skip
"""What only a name tells: an encrypted file looks like chance."""
TEXT = bytes([9, 10, 13, *range(32, 127)])
CONTROLS = bytes({*range(32)} - {*b"\t\n\v\f\r\x1b\x02\x03\x0f\x11\x16\x1d\x1e\x1f"})
"""Control characters, but for those of line ends, terminals and IRC's colours."""
MOST_CONTROLS, FEW = 0.05, 50
"""Share of them that a text may have, and a number that is no matter."""
EMPTY = Seen("empty", "empty", "Export the conversations again.")
BINARY = Seen("binary", "a binary file", AS_TEXT)
WIDE_TEXT = "text in UTF-16 without the mark at its beginning"


def seen_in(start: bytes, name: str, open_bytes: Callable[[], IO[bytes]]) -> Seen | None:
    """What a file with these first bytes is, if it is surely no text; only a database is opened again."""
    for pattern, seen in BACKUPS:
        if pattern.fullmatch(name) and not start.isascii():
            return seen
    if start.startswith(SQLITE):
        with open_bytes() as file:
            return _database(file.read(OF_DATABASE))
    if start.startswith(ZIP):
        return next((seen for pattern, seen in IN_ZIP if re.search(pattern, start)), PACKED)
    return next((seen for pattern, seen in SIGNATURES if pattern.match(start)), None)


def bytes_seen(start: bytes) -> Seen:
    """What bytes are that are no text in the usual encodings."""
    pairs = start[: len(start) & ~1]
    for encoding, zeros, others in (("utf-16-le", pairs[1::2], pairs[::2]), ("utf-16-be", pairs[::2], pairs[1::2])):
        plain = len(others.translate(None, delete=TEXT))
        if len(zeros) > 3 and zeros.count(0) > 0.4 * len(zeros) and plain < 0.05 * len(others):
            return Seen("wide", WIDE_TEXT, f"Pass --encoding {encoding}.")
    return BINARY


def is_binary(start: bytes) -> bool:
    """Whether bytes that could be decoded are none of a text: many are control characters that no text has."""
    controls = len(start) - len(start.translate(None, delete=CONTROLS))
    return controls > max(FEW, MOST_CONTROLS * len(start))


def _database(data: bytes) -> Seen:
    tables = {name.decode() for name in CREATED.findall(data)}
    for wanted, seen in DATABASES:
        if wanted <= tables:
            return seen
    names = ", ".join(sorted(tables)[:8])
    what = f"an SQLite database (tables: {names})" if names else "an SQLite database"
    return Seen("database", what, "Write its conversations as CSV or JSON, or export them in the app.")
