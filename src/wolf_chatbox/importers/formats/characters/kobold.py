"""A story of KoboldAI Lite (KoboldCpp) or KoboldAI, as both save it: JSON, one text in pieces.

Form: https://github.com/LostRuins/lite.koboldai.net (index.html: generate_savefile, submit_generation) and
https://github.com/KoboldAI/KoboldAI-Client (aiserver.py, koboldai_settings.py): `prompt`, and `actions` as a list, or
in stories of KoboldAI's second version as objects with `Selected Text` and `Options`. The pieces are no turns: they
are joined, and cut again as the mode of the story tells.

- Chat: `NAME: text` at the beginning of a line, with the names of the settings, or names that come back.
- Instruct: `{{[INPUT]}}` and `{{[OUTPUT]}}`, or the tags of the settings.
- Adventure: `> ` before what the player does; the rest is the game's, which is the character.
- Story: nobody speaks.

The settings come last and are read first; the story then streams.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.messages import MEDIA, SYSTEM, Message, moment
from wolf_chatbox.importers.shared.replies import Chat, Reply, read_chats, text_of
from wolf_chatbox.importers.streams.json_stream import JsonStream

KEYS = [re.compile(rf'(?<!\\)"{key}"\s*:') for key in ("gamestarted", "prompt")]
STORY, ADVENTURE, CHAT, INSTRUCT = 1, 2, 3, 4
"""The modes, as KoboldAI Lite numbers them."""
NEXT = "||$||"
"""Between the names of several characters."""
TAGS = {
    "user": ("{{[INPUT]}}", "instruct_starttag"),
    "character": ("{{[OUTPUT]}}", "instruct_endtag"),
    "system": ("{{[SYSTEM]}}", "instruct_systag"),
    "": ("{{[INPUT_END]}}", "instruct_starttag_end"),
    " ": ("{{[OUTPUT_END]}}", "instruct_endtag_end"),
    "  ": ("{{[SYSTEM_END]}}", "instruct_systag_end"),
}
"""Whose text follows a tag: its placeholder, and the setting with what the model sees."""
PICTURE = re.compile(r"\[<\|([pd])\|(?:(?!\|\1\|>\])[^\n])*\|\1\|>\]")
NAME = re.compile(r"([^\W\d_][^\n:{}<>]{0,39}):(?= |$)")
STAMP = re.compile(r"\s?\[(\d{1,2})/(\d{1,2})/(\d{4}), (\d{1,2}):(\d{2})\s([AP])M\]")
"""What Lite puts before a message on request, where the browser is in American English."""
LINES = 8
"""Of a tag that are looked for."""
BEGINNING = 200
"""Pieces in which a story without settings shows its mode."""


class Settings(NamedTuple):
    mode: int = 0
    user: str = ""
    characters: tuple[str, ...] = ()
    tags: Mapping[str, str] = {}
    """Whose text follows, by tag: `user`, `character`, `system`, or nobody's."""


def claims(head: str) -> bool:
    start = head.lstrip()
    return start.startswith("{") and all(key.search(start) for key in KEYS)


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the story as a conversation. What nobody says in it is a system message; other pieces are counted."""
    prompt, settings, others = _first_pass(source)
    if others:
        tally.dropped["other reply"] += others
    pieces = partial(_pieces, source, prompt)
    if not settings.mode or (settings.mode == CHAT and not settings.characters):
        settings = _guess("".join(islice(pieces(), BEGINNING)), settings)
    cut = {STORY: _story, ADVENTURE: _adventure, CHAT: _chat, INSTRUCT: _instruct}[settings.mode]
    character = settings.characters[0] if settings.characters else ""
    yield from read_chats(
        [Chat(source.path.stem, lambda: cut(pieces(), settings), settings.user, character)], config, tally
    )


def _first_pass(source: Source) -> tuple[str, Settings, int]:
    """The prompt, the settings, and how many pieces were drawn in the place of others."""
    prompt, found, others = "", dict[str, Any](), 0
    with JsonStream(source) as stream:
        for key in stream.fields():
            if key == "prompt":
                prompt = text_of(stream.value())
            elif key == "actions":
                others += sum(_others(action) for action in _actions(stream))
            elif key == "actions_metadata" and stream.begins() == "{":
                others += sum(_others(stream.value()) for _ in stream.fields())
            elif key == "savedsettings":
                settings = stream.value()
                found |= settings if isinstance(settings, dict) else {}
            elif key in ("chatmode", "adventure", "chatname"):  # of KoboldAI's second version
                found.setdefault(key, stream.value())
    return prompt, _settings(found), others


def _pieces(source: Source, prompt: str) -> Iterator[str]:
    yield prompt
    with JsonStream(source) as stream:
        for key in stream.fields():
            if key == "actions":
                for action in _actions(stream):
                    yield text_of(action.get("Selected Text") if isinstance(action, dict) else action)


def _actions(stream: JsonStream) -> Iterator[Any]:
    """The pieces of a list, or of KoboldAI's second version."""
    if stream.begins() == "[":
        yield from stream.items()
    elif stream.begins() == "{":
        for key in stream.fields():
            if key == "actions" and stream.begins() == "{":
                for _ in stream.fields():
                    yield stream.value()


def _others(action: Any) -> int:
    if not isinstance(action, dict):
        return 0
    drawn = [action.get(key) for key in ("Options", "Alternative Text")]
    return sum(len(options) for options in drawn if isinstance(options, list))


def _settings(found: Mapping[str, Any]) -> Settings:
    mode = found.get("opmode")
    mode = int(mode) if isinstance(mode, (int, str)) and str(mode) in ("1", "2", "3", "4") else 0
    mode = CHAT if found.get("chatmode") is True else ADVENTURE if found.get("adventure") is True else mode
    opponents = text_of(found.get("chatopponent")).split(NEXT)
    raw = found.get("placeholder_tags") is False or found.get("raw_instruct_tags") is True
    tags: dict[str, str] = {}
    for whose, (placeholder, setting) in TAGS.items():
        own = text_of(found.get(setting)).replace("\\n", "\n").split("\n") if raw else []
        # A line at a time is read: only the last one of a tag tells whose text follows.
        *before, last = [line.strip() for line in own if line.strip()][-LINES:] or [""]
        tags |= dict.fromkeys(before, "") | {last: whose.strip(), placeholder: whose.strip()}
    tags.pop("", None)
    return Settings(mode, text_of(found.get("chatname")), tuple(filter(None, opponents)), tags)


def _guess(beginning: str, settings: Settings) -> Settings:
    """The settings with a mode that the story shows, and in a chat with the names that come back."""
    if settings.mode != CHAT and ("{{[INPUT]}}" in beginning or "{{[OUTPUT]}}" in beginning):
        return settings._replace(mode=INSTRUCT)
    lines = [line for line in beginning.split("\n") if line.strip()]
    counts = Counter(match[1] for line in lines if (match := NAME.match(line)))
    names = [name for name, count in counts.items() if count > 1 or settings.mode == CHAT]
    if settings.mode == CHAT or (len(names) > 1 and 2 * sum(counts[name] for name in names) >= len(lines)):
        user = settings.user or next((name for name in names if name in ("You", "User")), "".join(names[:1]))
        return settings._replace(mode=CHAT, user=user, characters=tuple(name for name in names if name != user))
    return settings._replace(mode=ADVENTURE if any(line.startswith("> ") for line in lines) else STORY)


def _lines(pieces: Iterable[str]) -> Iterator[str]:
    """The lines of the whole text, without their ends."""
    parts: list[str] = []
    for piece in pieces:
        first, *rest = piece.split("\n")
        parts.append(first)
        for part in rest:
            yield "".join(parts)
            parts = [part]
    yield "".join(parts)


def _story(pieces: Iterable[str], _: Settings) -> Iterator[Reply]:
    for piece in pieces:
        if piece.strip():
            yield _reply("", [piece], SYSTEM)


def _adventure(pieces: Iterable[str], _: Settings) -> Iterator[Reply]:
    """What the player does, up to an empty line, and what the game tells."""
    lines: list[str] = []
    acting = False
    for line in _lines(pieces):
        begins = line.startswith(">")
        if begins or (acting and not line.strip()):
            yield from _said("", lines, by_user=acting)
            lines, acting = [], begins
        lines.append(line.removeprefix(">") if begins else line)
    yield from _said("", lines, by_user=acting)


def _chat(pieces: Iterable[str], settings: Settings) -> Iterator[Reply]:
    """What is said under a name, up to the next one."""
    user = settings.user or "You"
    names = {user, *settings.characters}
    speaker, lines = "", list[str]()
    for line in _lines(pieces):
        name, colon, text = line.partition(":")
        if colon and name in names:
            yield from _said(speaker, lines, by_user=speaker == user, kind="" if speaker else SYSTEM)
            speaker, lines = name, [text]
        else:
            lines.append(line)
    yield from _said(speaker, lines, by_user=speaker == user, kind="" if speaker else SYSTEM)


def _instruct(pieces: Iterable[str], settings: Settings) -> Iterator[Reply]:
    """What stands between the tags; a name before it, which Lite adds on request, is the speaker's."""
    longest = sorted(settings.tags, key=len, reverse=True)
    tag = re.compile("|".join(map(re.escape, longest)))
    whose, lines = "system", list[str]()
    for line in _lines(pieces):
        at = 0
        for match in tag.finditer(line):
            yield from _turn(whose, [*lines, line[at : match.start()]], settings)
            whose, lines, at = settings.tags[match[0]] or "system", [], match.end()
        lines.append(line[at:])
    yield from _turn(whose, lines, settings)


def _turn(whose: str, lines: list[str], settings: Settings) -> Iterator[Reply]:
    text = "\n".join(lines).strip()
    names = (settings.user,) if whose == "user" else settings.characters
    speaker = next((name for name in names if name and text.startswith(f"{name}:")), "")
    own = settings.user if whose == "user" else ""
    kind = SYSTEM if whose == "system" else ""
    yield from _said(speaker or own, [text.removeprefix(f"{speaker}:" if speaker else "")], whose == "user", kind)


def _said(speaker: str, lines: list[str], by_user: bool = False, kind: str = "") -> Iterator[Reply]:
    """The reply of these lines; none of lines without a text, which is no message."""
    if any(line.strip() for line in lines):
        yield _reply(speaker, lines, kind, by_user)


def _reply(speaker: str, lines: list[str], kind: str, by_user: bool = False) -> Reply:
    text = "\n".join(lines)
    time = None
    if stamp := STAMP.match(text):
        time, text = _time(stamp), text[stamp.end() :]
    plain = PICTURE.sub("", text).strip()
    if not plain:
        kind, plain = MEDIA, "<picture>"
    return Reply(Message(speaker, plain, time, kind), by_user)


def _time(stamp: re.Match[str]) -> datetime | None:
    month, day, year, hour, minute = map(int, stamp.groups()[:5])
    return moment(year, month, day, hour % 12 + 12 * (stamp[6] == "P"), minute)


FORMAT = Format(
    title="KoboldAI Lite, KoboldCpp, KoboldAI (JSON)",
    documentation="https://github.com/LostRuins/lite.koboldai.net",
    export="Save / Load → Download File",
    notes=(
        "chat, instruct and adventure mode, with the names of the settings, else `user` and `assistant` (who tells the "
        "adventure). In story mode nobody speaks: `--also-keep system` keeps the text. Memory and notes are left out"
    ),
    claims=claims,
    read=read,
)
