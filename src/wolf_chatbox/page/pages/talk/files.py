"""Chats as files: what is saved of one, as JSON Lines or Markdown, and one that is dropped on the page."""

from __future__ import annotations

import asyncio
from datetime import datetime
from urllib.parse import quote

from nicegui import ui
from nicegui.events import UploadEventArguments

from wolf_chatbox.errors import WolfChatboxError
from wolf_chatbox.page.desk import Desk
from wolf_chatbox.page.frame import tell
from wolf_chatbox.page.room import Room
from wolf_chatbox.talk.markdown import to_markdown
from wolf_chatbox.talk.saved import chat_line
from wolf_chatbox.words import Words

MOST_BYTES = 20_000_000
"""Of a saved chat that is dropped on the page."""


def save_lines(room: Room) -> None:
    """Let the browser save the chat with all its branches, as /load and the page read it."""
    content = chat_line(room.tree, room.present, room.about)
    ui.download.content(content, _name(room, "jsonl"), "application/jsonl")


def save_markdown(room: Room) -> None:
    """Let the browser save the conversation at hand, for people to read."""
    content = to_markdown(room.tree, room.title or room.persona, datetime.now())
    ui.download.content(content, _name(room, "md"), "text/markdown")


def _name(room: Room, ending: str) -> str:
    words = "".join(sign if sign.isalnum() else " " for sign in (room.title or room.persona)).split()
    return f"{'-'.join(words)[:60] or 'chat'}.{ending}"


def drop(desk: Desk, words: Words) -> None:
    """A place where a saved chat is dropped, or chosen; it is kept, and opened."""

    async def take(event: UploadEventArguments) -> None:
        content = await event.file.read()
        try:
            id = await asyncio.to_thread(desk.archive.add, content, event.file.name)
        except WolfChatboxError as error:
            tell(error)
            upload.reset()
            return
        ui.navigate.to(f"/talk/{quote(id)}")

    def refuse() -> None:
        ui.notify(words("talk.too_large"), type="negative")

    upload = ui.upload(label=words("talk.import"), auto_upload=True, on_upload=take, on_rejected=refuse)
    upload.props(f"accept=.jsonl,.json flat max-file-size={MOST_BYTES}").classes("chats-import")
