"""A message of Skype, and of Microsoft Teams, which was built on it: as their data exports and their service give it.

Form: https://learn.microsoft.com/en-us/azure/communication-services/concepts/chat/concepts (types of messages) and the
exports of https://secure.skype.com/data-export. The text is HTML: in Teams of paragraphs, in Skype of lines.
"""

from __future__ import annotations

from typing import Any

from lxml.html import HtmlElement

from wolf_chatbox.importers.shared.messages import DELETED, MEDIA, SYSTEM, Message, from_iso
from wolf_chatbox.importers.streams.html_stream import text_of_markup

SAID = ("Text", "RichText", "RichText/Html", "")
MEDIA_TYPES = ("RichText/", "Poll", "PopCard")
"""Pictures, files, voice, places, contacts, cards; everything else (Event/Call, ThreadActivity/…) nobody said."""
QUOTES = ("quote", "legacyquote", "uriobject", "e_m", "deletedquote")
"""What is not the sender's own words; `<e_m>` marks an edited message."""
REPLY = "http://schema.skype.com/Reply"
EMOJI = "http://schema.skype.com/Emoji"


def message_of(record: Any, names: dict[str, str]) -> Message:
    """The message of a JSON value, in UTC; `names` are the last known ones by the senders' ids, and are kept up."""
    if not isinstance(record, dict):
        return Message("", "")
    sender = str(record.get("from") or "").rpartition("/")[2]
    name = str(record.get("imdisplayname") or record.get("displayName") or "")
    speaker = name or names.get(sender, "")
    names[sender] = speaker = speaker or _bare(sender)
    time = from_iso(record.get("originalarrivaltime")) or from_iso(record.get("composetime"))
    kind, content = str(record.get("messagetype") or ""), str(record.get("content") or "")
    properties = record.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    if properties.get("deletetime") or properties.get("isserversidedeleted"):
        return Message(speaker, "<deleted>", time, DELETED)
    if kind not in SAID:
        what = kind.rpartition("/")[2].removeprefix("Media_")
        return Message(speaker, f"<{what}>", time, MEDIA if kind.startswith(MEDIA_TYPES) else SYSTEM)
    text = content.strip() if kind == "Text" else text_of_markup(content, _instead, lines=kind == "RichText").strip()
    if text:
        return Message(speaker, text, time)
    if "<e_m" in content:  # edited until nothing was left
        return Message(speaker, "<deleted>", time, DELETED)
    if "<URIObject" in content or "<img" in content or properties.get("files") not in (None, "", "[]", []):
        return Message(speaker, "<file>", time, MEDIA)
    return Message(speaker, "", time)


def _instead(element: HtmlElement) -> str | None:
    if element.tag in QUOTES or (element.tag == "blockquote" and element.get("itemtype") == REPLY):
        return ""
    if element.tag == "img":
        return str(element.get("alt", "")) if element.get("itemtype") == EMOJI else ""
    return None


def _bare(sender: str) -> str:
    """`ann.oar` of `8:live:ann.oar`, as Skype shows who has no name."""
    return sender.rpartition(":")[2] or sender
