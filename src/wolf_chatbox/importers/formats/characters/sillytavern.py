"""A chat of SillyTavern or TavernAI: JSON Lines, a header and then a message a line, a file a chat.

Form: https://github.com/SillyTavern/SillyTavern (public/script.js: saveChat, src/endpoints/chats.js, public/scripts/
utils.js: timestampToMoment, system-messages.js, bookmarks.js) and https://github.com/TavernAI/TavernAI, whose chats
have times in milliseconds and whose rooms have `character_names`. Chub's have an object for each text. The first group
chats have no header, later headers no names (`unused`). CAI Tools and others write this form too.

A branch or a checkpoint begins as the chat that its header names (`main_chat`): both are one group. A checkpoint, which
holds no more than the beginning of a chat that is read too, is dropped; a branch is read whole, as its beginning is the
context of what it adds.

A line is read whole, because pictures may be in it, up to 67 million characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.preferences import Preference
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.messages import MEDIA, MONTHS, SYSTEM, Message, from_iso, from_unix, moment
from wolf_chatbox.importers.shared.replies import Chat, Reply, choices_in, from_milliseconds, read_chats, text_of
from wolf_chatbox.importers.streams.json_stream import MAX_VALUE, json_lines

HEADER = re.compile(r'\{\s*"chat_metadata"\s*:|\{(?=[^\n]*"user_name"\s*:)[^\n]*"character_names?"\s*:')
MESSAGE = [re.compile(rf'(?<!\\)"{key}"\s*:') for key in ("mes", "is_user")]
HUMANIZED = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2}) ?@ ?(\d{1,2})h ?(\d{1,2})m ?(\d{1,2})s(?: ?\d{1,3}ms)?", re.ASCII)
"""`2023-4-21 @20h 02m 47s 124ms` and `2024-07-12@01h31m37s123ms`."""
MERIDIEM = re.compile(r"([A-Z][a-z]{2,8}) (\d{1,2}), (\d{4}) (\d{1,2}):(\d{2}) ?([ap])m", re.ASCII | re.IGNORECASE)
"""`June 19, 2023 2:20pm`."""
OLD_BOOKMARK = re.compile(r"(.{1,200}?)[ -]{0,3}(?:Bookmark|Checkpoint) #\d")
"""How a checkpoint was named before its header said where it comes from."""
UNSAID = frozenset(
    (
        *("help", "welcome", "empty", "generic", "narrator", "comment", "slash_commands", "formatting", "hotkeys"),
        *("macros", "welcome_prompt", "assistant_note"),
    )
)
"""Types of messages that SillyTavern, a narrator or a note in the margin is behind, and no character."""
SYSTEM_NAMES = ("SillyTavern System", "System")
SYSTEM_AVATAR = "img/five.png"
FILES = ("image", "image_swipes", "video", "file", "files", "media", "inline_image")
REPEATED = "beginning of another chat"
Key = tuple[str, str]
"""The folder and the name of a file."""


class Header(NamedTuple):
    user: str = ""
    character: str = ""
    main: str = ""
    """The chat that this one branched off."""


def claims(head: str) -> bool:
    start = head.lstrip()
    return bool(HEADER.match(start)) or (start.startswith("{") and all(key.search(start) for key in MESSAGE))


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield each chat of the folder. Narrators and the program are system messages; what was hidden was said."""
    files = {_key(file): file for file in (source, *source.more)}
    headers = {key: _header(file) for key, file in files.items()}
    for key, file in files.items():
        before = tally.read
        try:
            root = _root(key, headers)
            main = files.get((key[0], root))
            if main and main is not file and (repeated := _repeated(file, main)):
                tally.dropped[REPEATED] += repeated
            else:
                yield from read_chats([_chat(file, root, headers[key])], config, tally)
        except DataError as error:
            tally.leave(file.path, error, tally.read - before, alone=not source.more, strict=config.strict)


def choices(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Preference]:
    """Yield the choices between the swipes of a character's messages."""
    for file in (source, *source.more):
        yield from choices_in([_chat(file, "", _header(file))], config, tally)


def _key(file: Source) -> Key:
    """The folder of a file and its name, as which the headers of others there know it."""
    return str(file.path.parent), file.path.stem


def _chat(file: Source, root: str, header: Header) -> Chat:
    return Chat(root, partial(_replies, file), header.user, header.character)


def _header(file: Source) -> Header:
    """What the first line says; nothing where it is a message or damaged, which is told when the messages are read."""
    try:
        first = next((value for _, value in json_lines(file, MAX_VALUE)), None)
    except DataError:
        first = None
    if not isinstance(first, dict) or "mes" in first:
        first = {}
    names = [text_of(first.get(key)) for key in ("user_name", "character_name")]
    metadata = first.get("chat_metadata")
    main = text_of(metadata.get("main_chat")) if isinstance(metadata, dict) else ""
    old = OLD_BOOKMARK.match(file.path.stem)
    user, character = ("" if name == "unused" else name for name in names)
    return Header(user, character, main or (old[1] if old else ""))


def _root(key: Key, headers: Mapping[Key, Header]) -> str:
    """The chat that a branch, and the branch that it branched off, come from in the end."""
    folder, last = key
    seen = {last}
    while main := headers[folder, last].main if (folder, last) in headers else "":
        if main in seen:  # a circle has no beginning
            return key[1]
        seen.add(main)
        last = main
    return last


def _repeated(file: Source, main: Source) -> int:
    """How many messages and other replies a file holds that is only the beginning of another; 0 if it is more."""
    count = 0
    others = iter(_replies(main))
    for reply in _replies(file):
        there = next(others, None)
        if there is None or (reply.said.speaker, reply.said.text) != (there.said.speaker, there.said.text):
            return 0
        count += 1 + len(reply.others)
    return count


def _replies(file: Source) -> Iterator[Reply]:
    for number, (_, value) in enumerate(json_lines(file, MAX_VALUE)):
        if number or not isinstance(value, dict) or "mes" in value:
            yield _reply(value if isinstance(value, dict) else {})


def _reply(value: Mapping[str, Any]) -> Reply:
    swipes = value.get("swipes")
    drawn = [_text(swipe) for swipe in swipes] if isinstance(swipes, list) else []
    text, at = _text(value.get("mes")), value.get("swipe_id")
    if type(at) is int and 0 <= at < len(drawn):
        text = text or drawn[at]
        others = [*drawn[:at], *drawn[at + 1 :]]
    else:
        others = [swipe for swipe in drawn if swipe != text]
    extra = value.get("extra")
    said = _said(value, text, extra if isinstance(extra, dict) else {})
    return Reply(said, value.get("is_user") is True, tuple(others), not drawn or text == drawn[-1])


def _said(value: Mapping[str, Any], text: str, extra: Mapping[str, Any]) -> Message:
    name, time = text_of(value.get("name")), _time(value.get("send_date"))
    if text_of(extra.get("type")) in UNSAID or extra.get("tool_invocations"):
        return Message(name, text, time, SYSTEM)
    if value.get("is_system") is True and (name in SYSTEM_NAMES or value.get("force_avatar") == SYSTEM_AVATAR):
        return Message(name, text, time, SYSTEM)
    if not text.strip() and any(extra.get(key) for key in FILES):
        return Message(name, "<attachment>", time, MEDIA)
    return Message(name, text, time)


def _text(value: Any) -> str:
    return text_of(value.get("message") if isinstance(value, dict) else value)


def _time(value: Any) -> datetime | None:
    """The time of a message, in any form that SillyTavern or TavernAI ever wrote."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if not isinstance(value, str) or value.isdigit():
        return from_unix(value) or from_milliseconds(value)  # as seconds, milliseconds are after the year 9999
    if match := HUMANIZED.match(value):
        return moment(*map(int, match.groups()))
    if match := MERIDIEM.match(value):
        month = MONTHS.get(match[1][:3].title(), 0)
        hour = int(match[4]) % 12 + 12 * (match[6].lower() == "p")
        return moment(int(match[3]), month, int(match[2]), hour, int(match[5]))
    return from_iso(value)


FORMAT = Format(
    title="SillyTavern, TavernAI (JSON Lines)",
    documentation="https://docs.sillytavern.app/usage/core-concepts/chatfilemanagement/",
    export="☰ → Manage chat files → Export as .jsonl; or the folder `data/default-user/chats/CHARACTER`",
    notes=(
        "every version, solo and group chats. The shown swipe is read; `data preferences` writes the choices. Hidden "
        "messages are read; narrators and comments are system messages; reasoning is left out. A branch is read whole; "
        "a checkpoint that only repeats the beginning of a chat is dropped. Leave out the folder `backups`: it holds "
        "copies. The export as .txt is read as `screenplay`"
    ),
    claims=claims,
    read=read,
    choices=choices,
    joins=True,
)
