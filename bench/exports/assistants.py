"""Exports of chats with an assistant."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, TextIO

from exports.drawn import messages, talks


def chatgpt(file: TextIO, count: int) -> None:
    """Conversations of forty messages; every fifth reply was drawn twice."""
    file.write("[")
    for number, talk in enumerate(talks(messages(count))):
        nodes: dict[str, Any] = {"root": {"id": "root", "message": None, "parent": None, "children": []}}
        last = "root"
        for at, (time, _, text) in enumerate(talk):
            for name in (f"{at}-", f"{at}") if at % 10 == 9 else (f"{at}",):
                message = {"id": name, "author": {"role": ("user", "assistant")[at % 2], "name": None, "metadata": {}}}
                message |= {"create_time": time.timestamp(), "update_time": None, "end_turn": None, "weight": 1.0}
                message |= {"content": {"content_type": "text", "parts": [text]}, "status": "finished_successfully"}
                message |= {"metadata": {"timestamp_": "absolute"}, "recipient": "all"}
                nodes[last]["children"].append(name)
                nodes[name] = {"id": name, "message": message, "parent": last, "children": []}
            last = f"{at}"
        whole = {"title": "Boats", "create_time": 1.0, "update_time": 1.0, "mapping": nodes, "current_node": last}
        file.write((", " if number else "") + json.dumps(whole, ensure_ascii=False))
    file.write("]")


def claude(file: TextIO, count: int) -> None:
    file.write("[")
    for number, talk in enumerate(talks(messages(count))):
        said = []
        for at, (time, _, text) in enumerate(talk):
            when = f"{time.isoformat()}.000000Z"
            message = {"uuid": f"{number}-{at}", "text": text, "content": [{"type": "text", "text": text}]}
            message |= {"sender": ("human", "assistant")[at % 2], "created_at": when, "updated_at": when}
            said.append(message | {"attachments": [], "files": []})
        whole = {"uuid": f"{number}", "name": "Boats", "account": {"uuid": "1"}, "chat_messages": said}
        file.write((", " if number else "") + json.dumps(whole, ensure_ascii=False))
    file.write("]")


def gemini(file: TextIO, count: int) -> None:
    """A prompt and its reply an entry; the first entry is the latest one."""
    file.write("[")
    for number, ((_, _, told), *asked) in enumerate(talks(reversed(list(messages(count))), 2)):
        time, _, prompt = asked[0] if asked else (datetime(2015, 1, 1), "", "Hello")
        entry = {"header": "Gemini Apps", "title": f"Prompted {prompt}", "time": f"{time.isoformat()}.000Z"}
        entry |= {"products": ["Gemini Apps"], "safeHtmlItem": [{"html": f"<p>{told}</p>"}]}
        file.write((",\n" if number else "") + json.dumps(entry, ensure_ascii=False))
    file.write("]")
