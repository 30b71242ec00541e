"""Exports of chats with a character."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, TextIO

from exports.drawn import NAMES, messages, records


def agnai(file: TextIO, count: int) -> None:
    def record(number: int, time: datetime, name: str, text: str) -> dict[str, Any]:
        who = {"userId": "u1"} if name == NAMES[0] else {"characterId": "c1"}
        return {"_id": str(number), "msg": text, "createdAt": f"{time.isoformat()}.000Z", "handle": name, **who}

    head = (
        '{"name": "Exported", "greeting": "Hello.", "sampleChat": "", "scenario": "", "treeLeafId": "1", "messages": '
    )
    records(file, count, head + "[\n", record)


def backyard(file: TextIO, count: int) -> None:
    def record(number: int, time: datetime, name: str, text: str) -> dict[str, Any]:
        return {"input": text, "output": name, "createdAt": int(1000 * time.timestamp())}

    records(file, count // 2, '{"version": 2, "character": {"name": "Bob"}, "chat": {"ChatItems": [\n', record, "]}}\n")


def character_ai(file: TextIO, count: int) -> None:
    """Chats of a hundred turns in one dump, with a candidate for every fourth."""

    def record(number: int, time: datetime, name: str, text: str) -> dict[str, Any]:
        author = {"author_id": name, "name": name, "is_human": name == NAMES[0]}
        texts = [text, "Other."] if number % 4 == 0 else [text]
        drawn = [{"candidate_id": str(at), "raw_content": each, "is_final": True} for at, each in enumerate(texts)]
        head = {"turn_key": {"chat_id": "c", "turn_id": str(number)}, "create_time": f"{time.isoformat()}Z"}
        return head | {"author": author, "candidates": drawn, "primary_candidate_id": "0"}

    file.write('{"histories": [')
    for part in range(0, count, 100):
        records(file, min(100, count - part), ("," if part else "") + '{"turns": [\n', record)
    file.write("]}\n")


def janitorai(file: TextIO, count: int) -> None:
    def record(number: int, time: datetime, name: str, text: str) -> dict[str, Any]:
        head = {"id": count - number, "created_at": f"{time.isoformat()}+00:00", "chat_id": 1, "rating": None}
        return head | {"is_bot": name != NAMES[0], "is_main": True, "message": text}

    records(file, count, '{"character": {"name": "Bob"}, "chatMessages": [\n', record)


def kobold(file: TextIO, count: int) -> None:
    """A chat in Lite's chat mode."""
    file.write('{"gamestarted": true, "prompt": "", "memory": "", "actions": [\n')
    for number, (_, name, text) in enumerate(messages(count)):
        file.write((",\n" if number else "") + json.dumps(f"\n{name}: {text}", ensure_ascii=False))
    settings = {"opmode": 3, "chatname": NAMES[0], "chatopponent": "||$||".join(NAMES[1:])}
    file.write(f'], "savedsettings": {json.dumps(settings)}}}\n')


def risuai(file: TextIO, count: int) -> None:
    def record(number: int, time: datetime, name: str, text: str) -> dict[str, Any]:
        role = "user" if name == NAMES[0] else "char"
        return {"role": role, "data": text, "time": int(1000 * time.timestamp()), "chatId": str(number), "saying": name}

    records(file, count, '{"type": "risuChat", "ver": 2, "data": {"message": [\n', record, '], "name": "Inn"}}\n')


def sillytavern(file: TextIO, count: int) -> None:
    """Every fourth message has a swipe."""
    file.write(json.dumps({"chat_metadata": {}, "user_name": NAMES[0], "character_name": NAMES[1]}) + "\n")
    for number, (time, name, text) in enumerate(messages(count)):
        message = {"name": name, "is_user": name == NAMES[0], "is_system": False}
        message |= {"send_date": f"{time:%B} {time.day}, {time:%Y %I:%M%p}", "mes": text, "extra": {"api": "openai"}}
        if number % 4 == 0:
            message |= {"swipe_id": 1, "swipes": ["Other.", text], "swipe_info": []}
        file.write(json.dumps(message, ensure_ascii=False) + "\n")


def text_generation_webui(file: TextIO, count: int) -> None:
    texts = [text for _, _, text in messages(count)]
    pairs = list(zip(texts[::2], texts[1::2], strict=False))
    times = [f"{time:%b %d, %Y %H:%M}" for time, _, _ in messages(count)]
    keys = [f"{who}_{row}" for row in range(len(pairs)) for who in ("user", "assistant")]
    metadata = {key: {"timestamp": time} for key, time in zip(keys, times, strict=False)}
    json.dump({"internal": pairs, "visible": pairs, "metadata": metadata}, file, indent=4)
