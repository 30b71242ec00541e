"""The rules of character cards, written from their specifications; they know nothing of our own reader and writer.

Version 2: https://github.com/malfoyslastname/character-card-spec-v2/blob/main/spec_v2.md (and spec_v1.md), version 3:
https://github.com/kwaroran/character-card-spec-v3/blob/main/SPEC_V3.md.
"""

from __future__ import annotations

import base64
import json
import re
import struct
import zlib
from collections.abc import Iterator
from typing import Any

STRINGS = (
    *("name", "description", "personality", "scenario", "first_mes", "mes_example", "creator_notes"),
    *("system_prompt", "post_history_instructions", "creator", "character_version"),
)
KNOWN = {*STRINGS, "alternate_greetings", "tags", "extensions", "character_book"}
"""The fields of version 2; an application must not add its own, but in `extensions`."""
KNOWN_3 = KNOWN | {
    *("assets", "nickname", "creator_notes_multilingual", "source", "group_only_greetings"),
    *("creation_date", "modification_date"),
}
ENTRY = {"keys": list, "content": str, "extensions": dict, "enabled": bool, "insertion_order": (int, float)}
MAYBE = {
    **{"name": str, "priority": (int, float), "id": (int, float, str), "comment": str, "selective": bool},
    **{"secondary_keys": list, "constant": bool, "position": str, "case_sensitive": bool},
}
BOOK = {
    **{"name": str, "description": str, "scan_depth": (int, float), "token_budget": (int, float)},
    "recursive_scanning": bool,
}


def faults(card: Any) -> Iterator[str]:
    """The rules that a card breaks."""
    if not isinstance(card, dict):
        yield "a card is an object"
        return
    version = {"chara_card_v2": 2, "chara_card_v3": 3}.get(card.get("spec"))
    if version is None:
        yield "`spec` MUST be chara_card_v2 or chara_card_v3"
        return
    if card.get("spec_version") != f"{version}.0":
        yield f"`spec_version` MUST be {version}.0"
    if set(card) != {"spec", "spec_version", "data"}:
        yield "the root holds spec, spec_version and data"
    data = card.get("data")
    if not isinstance(data, dict):
        yield "`data` is an object"
        return
    if unknown := set(data) - (KNOWN_3 if version == 3 else KNOWN):
        yield f"an application MUST NOT add fields: {unknown}"
    for name in STRINGS:
        if not isinstance(data.get(name), str):
            yield f"`{name}` is mandatory, and a string"
    for name in ("alternate_greetings", "tags", *(["group_only_greetings"] if version == 3 else [])):
        if not _strings(data.get(name)):
            yield f"`{name}` MUST be there, an array of strings"
    if not isinstance(data.get("extensions"), dict):
        yield "`extensions` is mandatory, and an object"
    if "character_book" in data:
        yield from _book(data["character_book"], version)
    if version == 3:
        yield from _third(data)


def _third(data: dict[str, Any]) -> Iterator[str]:
    if not isinstance(data.get("nickname", ""), str):
        yield "`nickname` MUST be a string or undefined"
    if not _strings(data.get("source", [])):
        yield "`source` MUST be an array of strings or undefined"
    for name in ("creation_date", "modification_date"):
        date = data.get(name, 0)
        if isinstance(date, bool) or not isinstance(date, int | float) or not 0 <= date < 10_000_000_000:
            yield f"`{name}` MUST be a Unix timestamp in seconds or undefined"
    notes = data.get("creator_notes_multilingual", {})
    if not (
        isinstance(notes, dict) and all(re.fullmatch("[a-z]{2}", key) for key in notes) and _strings([*notes.values()])
    ):
        yield "`creator_notes_multilingual` MUST be an object of ISO 639-1 codes and strings or undefined"
    if "assets" in data:
        yield from _assets(data["assets"])


def _assets(assets: Any) -> Iterator[str]:
    if not isinstance(assets, list) or not all(isinstance(asset, dict) for asset in assets):
        yield "`assets` MUST be an array of objects or undefined"
        return
    for asset in assets:
        if not all(isinstance(asset.get(name), str) for name in ("type", "uri", "name", "ext")):
            yield "an asset MUST have type, uri, name and ext, all strings"
            continue
        if not asset["uri"].startswith(("http://", "https://", "data:", "embeded://", "ccdefault:", "__asset:")):
            yield "`uri` MUST be a URL, base64 data, a path or ccdefault:"
        if not re.fullmatch("[a-z0-9]+", asset["ext"]):
            yield "`ext` MUST be a file extension in lowercase, without a dot"
    for kind, fits in (("icon", lambda count, main: count < 2 or main == 1), ("background", lambda _, main: main < 2)):
        names = [asset.get("name") for asset in assets if asset.get("type") == kind]
        if not fits(len(names), names.count("main")):
            yield f"of several {kind} assets one is the main one"


def _book(book: Any, version: int) -> Iterator[str]:
    if not isinstance(book, dict):
        yield "`character_book` MUST be a lorebook or undefined"
        return
    if not isinstance(book.get("extensions"), dict):
        yield "`extensions` of a lorebook is mandatory"
    for name, kind in BOOK.items():
        if name in book and not _is(book[name], kind):
            yield f"`{name}` of a lorebook has another type"
    entries = book.get("entries")
    if not isinstance(entries, list):
        yield "`entries` MUST be there, an array"
        return
    needed = ENTRY | ({"use_regex": bool} if version == 3 else {})
    for entry in entries:
        for name, kind in needed.items():
            if not isinstance(entry, dict) or not _is(entry.get(name), kind):
                yield f"`{name}` of an entry is mandatory"
        for name, kind in MAYBE.items():
            if isinstance(entry, dict) and name in entry and not _is(entry[name], kind):
                yield f"`{name}` of an entry has another type"
        if isinstance(entry, dict) and entry.get("position", "before_char") not in ("before_char", "after_char"):
            yield "`position` is before_char or after_char"


def _is(value: Any, kind: Any) -> bool:
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def chunks(picture: bytes) -> dict[str, Any]:
    """The cards in a picture, by the names of their chunks, as the specification of version 3 embeds them."""
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    at, found, kinds = 8, dict[str, Any](), list[bytes]()
    while at < len(picture):
        length, kind = struct.unpack(">I4s", picture[at : at + 8])
        content, check = picture[at + 8 : at + 8 + length], picture[at + 8 + length : at + 12 + length]
        assert struct.unpack(">I", check)[0] == zlib.crc32(kind + content), "a chunk ends in its check sum"
        kinds.append(kind)
        if kind == b"tEXt":  # the chunk MUST be a tEXt chunk
            keyword, _, text = content.partition(b"\0")
            if keyword in (b"chara", b"ccv3"):
                assert keyword.decode() not in found, "one chunk of a name"
                found[keyword.decode()] = json.loads(base64.b64decode(text, validate=True).decode("utf-8"))
        at += length + 12
    assert (kinds[0], kinds[-1]) == (b"IHDR", b"IEND")
    return found
