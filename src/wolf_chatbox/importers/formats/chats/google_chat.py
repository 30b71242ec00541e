"""Google Chat, as Google Takeout writes it: a folder for each chat, with `messages.json` and `group_info.json`.

Form: `{"messages": [{"creator": {"name": …}, "created_date": "Tuesday, March 5, 2024 at 3:04:05 PM UTC", "text": …,
"topic_id": …}]}`; https://support.google.com/accounts/answer/3024190. The date is in the account's language, in UTC.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.messages import DELETED, MEDIA, Message, conversations, from_iso, moment
from wolf_chatbox.importers.streams.json_stream import JsonStream

KEYS = [re.compile(rf'"{key}"\s*:') for key in ("messages", "creator", "created_date")]
CLOCK = re.compile(r"(\d{1,2}) ?[:.時시点h] ?(\d{1,2})(?: ?(?:[:.分분]|min) ?(\d{1,2}))?")
AFTERNOON = re.compile(r"\bp\.?\s?m\b|午後|오후|下午", re.IGNORECASE)
MORNING = re.compile(r"\ba\.?\s?m\b|午前|오전|上午", re.IGNORECASE)
NUMERIC = re.compile(r"(\d{4})\D{1,3}(\d{1,2})\D{1,3}(\d{1,2})")
YEAR = re.compile(r"\b\d{4}\b")
DAY = re.compile(r"\b\d{1,2}\b")
WORD = re.compile(r"[^\W\d]{3,}")
MONTHS = (
    ("jan", "ene", "gen", "янв"),
    ("feb", "fev", "fév", "фев"),
    ("mar", "mär", "maa", "мар"),
    ("apr", "abr", "avr", "апр"),
    ("may", "mai", "mag", "mei", "мая", "май"),
    ("jun", "juin", "giu", "июн"),
    ("jul", "juil", "lug", "июл"),
    ("aug", "ago", "aoû", "авг"),
    ("sep", "set", "сен"),
    ("oct", "okt", "ott", "out", "окт"),
    ("nov", "ноя"),
    ("dec", "dez", "dic", "déc", "дек"),
)
"""How the months begin in English, German, French, Spanish, Italian, Portuguese, Dutch and Russian."""


def claims(head: str) -> bool:
    return head.lstrip().startswith("{") and all(key.search(head) for key in KEYS)


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the chat, cut where it was silent. Deleted messages and files without words are counted."""
    with JsonStream(source) as stream:
        for key in stream.fields():
            if key == "messages" and stream.begins() == "[":
                messages = (_message(record) for record in stream.items())
                yield from conversations(messages, _name(source), config, tally)


def _message(record: Any) -> Message:
    if not isinstance(record, dict):
        return Message("", "")
    creator = record.get("creator")
    creator = creator if isinstance(creator, dict) else {}
    speaker = str(creator.get("name") or creator.get("email") or "")
    time = date_of(str(record.get("created_date") or ""))
    text = str(record.get("text") or "")
    if record.get("message_state") == "DELETED" or "deletion_metadata" in record:
        return Message(speaker, text or "<deleted>", time, DELETED)
    if not text and (record.get("attached_files") or record.get("annotations")):
        return Message(speaker, "<file>", time, MEDIA)
    return Message(speaker, text, time)


def date_of(text: str) -> datetime | None:
    """The time of a date in words, `Tuesday, March 5, 2024 at 3:04:05\u202fPM UTC`, in any of MONTHS' languages."""
    text = " ".join(text.split()[:20])[:200]
    clock = CLOCK.search(text, next((found.end() for found in [YEAR.search(text)] if found), 0))
    if clock is None:
        return from_iso(text)
    hour, minute, second = int(clock[1]), int(clock[2]), int(clock[3] or 0)
    if AFTERNOON.search(text) or MORNING.search(text):
        hour = hour % 12 + 12 * bool(AFTERNOON.search(text))
    date = text[: clock.start()]
    if numbers := NUMERIC.search(date):
        return moment(*map(int, numbers.groups()), hour, minute, second)
    year, day = YEAR.search(date), DAY.search(date)
    words = [word.lower() for word in WORD.findall(date)]
    words = words[1:] or words  # the first is the day of the week: `mardi` is not `mars`
    month = next((at for word in words for at, names in enumerate(MONTHS, 1) if word.startswith(names)), 0)
    return moment(int(year[0]), month, int(day[0]), hour, minute, second) if year and day else None


def _name(source: Source) -> str:
    """The space's name, or the members' of a direct message, from group_info.json; else the folder's."""
    try:
        info = json.loads((source.folder / "group_info.json").read_text(encoding="utf-8"))
    except (OSError, KeyError, ValueError, RecursionError):
        info = None
    info = info if isinstance(info, dict) else {}
    members = info.get("members")
    names = (
        [str(member.get("name") or "") for member in members if isinstance(member, dict)]
        if isinstance(members, list)
        else []
    )
    return str(info.get("name") or ", ".join(filter(None, names[:5])) or source.folder.name or source.path.stem)


FORMAT = Format(
    title="Google Chat (Takeout)",
    documentation="https://support.google.com/accounts/answer/3024190",
    export="https://takeout.google.com → Google Chat; pass the zip, or the folder `Google Chat`",
    notes="each folder is a chat, named by its `group_info.json`; times are UTC; reactions and quotes are left out",
    claims=claims,
    read=read,
    beside=r"(?:group_info|user_info)\.json|File-.*",
)
