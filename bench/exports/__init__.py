"""Chat exports of any size for bench/importers.py: one writer a format, in the form that the app writes.

A writer has the name of its format, and gets a text file and the number of messages.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TextIO

from exports import assistants, characters, messengers

WRITERS: dict[str, Callable[[TextIO, int], None]] = {
    name: writer
    for module in (assistants, characters, messengers)
    for name, writer in vars(module).items()
    if getattr(writer, "__module__", "") == module.__name__ and not name.startswith("_")
}
"""The writers by the names of the formats. Every chat format has one."""
JSON = {
    *("agnai", "backyard", "character_ai", "chatgpt", "claude", "discord", "gemini", "google_chat"),
    *("hangouts", "janitorai", "kobold", "messenger", "qq_exporter", "risuai", "skype", "slack"),
    *("slackdump", "teams", "telegram", "text_generation_webui", "wechat_json", "whatsapp_exporter"),
}
"""Those whose exports are one JSON document: the json module reads them beside us."""
