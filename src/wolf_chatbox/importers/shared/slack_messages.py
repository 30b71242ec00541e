"""A message of Slack as its API gives it, in Slack's own export and in others': names, marks, blocks, attachments.

Forms: https://api.slack.com/events/message, https://api.slack.com/reference/block-kit/blocks.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from wolf_chatbox.importers.files.compression import AnyPath
from wolf_chatbox.importers.shared.messages import DELETED, MEDIA, SYSTEM, Message, from_unix

SAID = ("", "me_message", "thread_broadcast", "bot_message", "file_comment", "reply_broadcast")
"""Subtypes of messages that somebody said."""
MARK = re.compile(r"<([@#!])?([^<>|\n]*)(?:\|([^<>\n]*))?>")
EMPTY = "This content can't be displayed."
"""What Slack writes as the text of a message of blocks only."""
USER_LINE = re.compile(r"(\S.{0,100}?) {2,}([UW][A-Z0-9]{5,20})(?: |\Z)")
"""A line of the table of users that slackdump writes."""
SENTENCES = ("pretext", "title", "text")
"""The words of an attachment."""


def message_of(record: Any, names: Mapping[str, str]) -> Message:
    """The message of a JSON value; `names` are the display names by the users' ids."""
    if not isinstance(record, dict):
        return Message("", "")
    speaker, time = _speaker(record, names), from_unix(record.get("ts"))
    text = _plain(str(record.get("text") or ""), names)
    subtype = str(record.get("subtype") or "")
    if subtype == "tombstone":
        return Message(speaker, text, time, DELETED)
    if subtype not in SAID:
        return Message(speaker, text, time, SYSTEM)
    if not text.strip() or text == EMPTY:
        text = "\n".join(filter(None, (_block(block, names) for block in _dicts(record.get("blocks"))))) or "\n".join(
            filter(None, (_attachment(attachment, names) for attachment in _dicts(record.get("attachments"))))
        )
    if not text and (record.get("files") or record.get("attachments") or record.get("blocks")):
        return Message(speaker, "<file>", time, MEDIA)
    return Message(speaker, text, time)


def names_in(places: Iterable[AnyPath]) -> dict[str, str]:
    """Display names by id, from the lists of users among these files: Slack's JSON, or slackdump's table."""
    found: dict[str, str] = {}
    for place in places:
        try:
            text = place.read_text(encoding="utf-8")
        except (OSError, KeyError, ValueError):
            continue
        try:
            users = json.loads(text)
        except (ValueError, RecursionError):
            lines = (USER_LINE.match(line) for line in text.splitlines())
            found |= {match[2]: match[1] for match in lines if match}
            continue
        for user in _dicts(users):
            if "id" in user:
                profile = user.get("profile")
                name = _name(profile) or user.get("real_name") or user.get("name")
                found[str(user["id"])] = str(name or user["id"])
    return found


def _speaker(record: dict[str, Any], names: Mapping[str, str]) -> str:
    bot = record.get("bot_profile")
    user = str(record.get("user") or record.get("bot_id") or "")
    known = names.get(user) or _name(record.get("user_profile"))
    if record.get("bot_id"):
        known = record.get("username") or (bot.get("name") if isinstance(bot, dict) else "") or known
    return str(known or record.get("username") or user)


def _name(profile: Any) -> str:
    return str(profile.get("display_name") or profile.get("real_name") or "") if isinstance(profile, dict) else ""


def _plain(text: str, names: Mapping[str, str]) -> str:
    """Slack's marks as the screen shows them: `<@U1>` is a name, `<https://x|text>` the text."""

    def shown(mark: re.Match[str]) -> str:
        kind, target, label = mark.groups()
        if kind == "@":
            return "@" + (names.get(target) or label or target)
        if kind == "!":
            return label if label and "^" in target else "@" + (label or target.partition("^")[0])
        return ("#" if kind else "") + (label or target)

    return html.unescape(MARK.sub(shown, text))


def _attachment(attachment: dict[str, Any], names: Mapping[str, str]) -> str:
    """What an attachment of words says: its sentences and fields, or else its blocks."""
    said = [_plain(str(attachment.get(key) or ""), names) for key in SENTENCES]
    for field in _dicts(attachment.get("fields")):
        parts = (_plain(str(field.get(key) or ""), names) for key in ("title", "value"))
        said.append(": ".join(filter(None, parts)))
    return "\n".join(filter(None, said)) or "\n".join(
        filter(None, (_block(block, names) for block in _dicts(attachment.get("blocks"))))
    )


def _block(block: dict[str, Any], names: Mapping[str, str]) -> str:
    """What a block says: buttons, images and lines between blocks say nothing."""
    kind = block.get("type")
    if kind == "rich_text":
        return "\n".join(_rich(element, names) for element in _dicts(block.get("elements")))
    if kind in ("section", "header", "markdown"):
        return "\n".join(filter(None, (_text(part, names) for part in [block.get("text"), *_list(block, "fields")])))
    if kind == "context":
        return " ".join(filter(None, (_text(part, names) for part in _list(block, "elements"))))
    return ""


def _text(part: Any, names: Mapping[str, str]) -> str:
    """The text of a text object, or of the markdown block's string."""
    if isinstance(part, dict) and part.get("type") in ("mrkdwn", "plain_text"):
        text = str(part.get("text") or "")
        return _plain(text, names) if part["type"] == "mrkdwn" else text
    return part if isinstance(part, str) else ""


def _rich(element: dict[str, Any], names: Mapping[str, str]) -> str:
    """A section, a list, a quote or code of rich text."""
    kind = element.get("type")
    if kind == "rich_text_list":
        items = enumerate(_dicts(element.get("elements")), 1)
        ordered = element.get("style") == "ordered"
        return "\n".join((f"{at}. " if ordered else "• ") + _inline(item, names) for at, item in items)
    text = _inline(element, names).strip("\n")
    return "\n".join(f"> {line}" for line in text.split("\n")) if kind == "rich_text_quote" else text


def _inline(element: dict[str, Any], names: Mapping[str, str]) -> str:
    return "".join(_piece(piece, names) for piece in _dicts(element.get("elements")))


def _piece(piece: dict[str, Any], names: Mapping[str, str]) -> str:
    kind = piece.get("type")
    if kind == "user":
        return "@" + names.get(str(piece.get("user_id")), str(piece.get("user_id")))
    if kind in ("usergroup", "broadcast"):
        return f"@{piece.get('usergroup_id') or piece.get('range')}"
    if kind == "channel":
        return f"#{piece.get('channel_id')}"
    if kind == "emoji":
        return _emoji(str(piece.get("unicode") or "")) or f":{piece.get('name')}:"
    return str(piece.get("text") or piece.get("url") or piece.get("fallback") or piece.get("value") or "")


def _emoji(codes: str) -> str:
    """The characters of `1f6f6` or `1f3c4-200d-2640`; nothing for other text."""
    try:
        return "".join(chr(int(code, 16)) for code in codes.split("-")) if codes else ""
    except (ValueError, OverflowError):
        return ""


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    """The objects of a JSON list; none for anything else."""
    return (item for item in value if isinstance(item, dict)) if isinstance(value, list) else iter(())


def _list(record: dict[str, Any], key: str) -> list[Any]:
    value = record.get(key)
    return value if isinstance(value, list) else []
