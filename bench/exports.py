"""Chat exports of any size for bench/importers.py: one writer a format, in the form that the app writes.

A writer gets a text file and the number of messages; who writes, when and what comes from `messages`, with a fixed
seed.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, TextIO

WORDS = """
boat lake oar sandwich tomorrow never always why not because you we they river rain sun maybe yes no well look there
good night morning swim fish net rope harbour wind sail
""".split()  # noqa: SIM905
NAMES = ("Ann Oar", "Bob Boat", "Carl", "Dora 🛶")
Message = tuple[datetime, str, str]
"""When, who, what."""


def messages(count: int) -> Iterator[Message]:
    """An hour or a day of silence now and then; one message in twenty has two lines."""
    draw = random.Random(0)
    time = datetime(2015, 1, 1)
    for _ in range(count):
        time += timedelta(seconds=draw.choice((5, 20, 60, 90, 3600) if draw.random() < 0.99 else (86400,)))
        text = " ".join(draw.choices(WORDS, k=draw.randint(1, 18)))
        yield time, draw.choice(NAMES), text + ("\n" + draw.choice(WORDS) if draw.random() < 0.05 else "")


def whatsapp(file: TextIO, count: int) -> None:
    for time, name, text in messages(count):
        file.write(f"{time:%d/%m/%Y, %H:%M} - {name}: {text}\n")


def telegram(file: TextIO, count: int) -> None:
    def record(number: int, time: datetime, name: str, text: str) -> dict[str, Any]:
        unix = str(int(time.timestamp()))
        head = {"id": number, "type": "message", "date": time.isoformat(), "date_unixtime": unix, "from": name}
        return head | {"from_id": "user1", "text": text, "text_entities": [{"type": "plain", "text": text}]}

    records(file, count, '{"name": "Boats", "type": "private_group", "id": 1, "messages": [\n', record)


def discord(file: TextIO, count: int) -> None:
    def record(number: int, time: datetime, name: str, text: str) -> dict[str, Any]:
        author = {"id": "9", "name": name, "discriminator": "0000", "nickname": name}
        author |= {"color": None, "isBot": False, "roles": []}
        head = {"id": str(number), "type": "Default", "timestamp": f"{time.isoformat()}+00:00", "timestampEdited": None}
        head |= {"isPinned": False, "content": text, "author": author}
        return head | {key: [] for key in ("attachments", "embeds", "stickers", "reactions", "mentions")}

    records(file, count, '{"guild": {"id": "1"}, "channel": {"id": "2", "name": "boats"}, "messages": [\n', record)


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


def talks(said: Iterable[Message], size: int = 40) -> Iterator[tuple[Message, ...]]:
    """The messages in chats of a size, the last one with what is left."""
    rest = iter(said)
    while talk := tuple(islice(rest, size)):
        yield talk


def kakaotalk(file: TextIO, count: int) -> None:
    file.write("Boats 4 님과 카카오톡 대화\n저장한 날짜 : 2024년 3월 5일 오후 6:20\n\n\n")
    day = None
    for time, name, text in messages(count):
        clock = f"{'오전' if time.hour < 12 else '오후'} {time.hour % 12 or 12}:{time:%M}"
        stamp = f"{time.year}년 {time.month}월 {time.day}일 {clock}"
        if time.date() != day:
            file.write(f"\n{stamp}\n")
            day = time.date()
        file.write(f"{stamp}, {name} : {text}\n")


def qq(file: TextIO, count: int) -> None:
    rule = "=" * 64
    file.write(
        f"消息记录（此消息记录为文本格式，不支持重新导入）\n\n{rule}\n消息分组:我的群聊\n{rule}\n消息对象:Boats\n{rule}\n\n"
    )
    for time, name, text in messages(count):
        file.write(f"{time:%Y-%m-%d} {time.hour}:{time:%M:%S} {name}({10001 + NAMES.index(name)})\n{text}\n\n")


def qq_exporter(file: TextIO, count: int) -> None:
    def record(number: int, time: datetime, name: str, text: str) -> dict[str, Any]:
        head = {"id": str(number), "seq": str(number), "timestamp": int(time.timestamp() * 1000), "time": str(time)}
        head |= {"sender": {"uid": f"u_{NAMES.index(name)}", "uin": "10001", "name": name}, "type": "type_1"}
        content = {"text": text, "html": "", "elements": [{"type": "text", "data": {"text": text}}], "resources": []}
        return head | {"content": content | {"mentions": []}, "recalled": False, "system": False}

    metadata = '"metadata": {"name": "QQChatExporter V5", "version": "5.5.1"}'
    records(file, count, f'{{{metadata}, "chatInfo": {{"name": "Boats", "type": "group"}}, "messages": [\n', record)


def sms(file: TextIO, count: int) -> None:
    head = "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>"
    file.write(f'{head}\n<smses count="{count}" backup_date="1709583000000">\n')
    for time, name, text in messages(count):
        number = NAMES.index(name)
        body = text.replace("\n", "&#10;")
        file.write(
            f'  <sms protocol="0" address="+44123456789{number}" date="{int(time.timestamp() * 1000)}" '
            f'type="{1 + number % 2}" subject="null" body="{body}" toa="null" sc_toa="null" service_center="null" '
            f'read="1" status="-1" locked="0" readable_date="{time:%d %b %Y %H:%M:%S}" contact_name="{name}" />\n'
        )
    file.write("</smses>\n")


def viber(file: TextIO, count: int) -> None:
    for time, name, text in messages(count):
        file.write(f"{time:%d/%m/%Y,%H:%M:%S},{name},+44123456789{NAMES.index(name)},{text}\n")


def wechat(file: TextIO, count: int) -> None:
    for time, name, text in messages(count):
        file.write(f"{time:%Y-%m-%d %H:%M:%S} {name}\n{text}\n\n")


def wechat_json(file: TextIO, count: int) -> None:
    def record(number: int, time: datetime, name: str, text: str) -> dict[str, Any]:
        head = {"localId": number, "createTime": int(time.timestamp()), "formattedTime": str(time), "type": "文本消息"}
        sender = {"senderUsername": f"wxid_{NAMES.index(name)}", "senderDisplayName": name, "source": ""}
        return head | {"localType": 1, "content": text, "isSend": 0} | sender

    session = '{"wxid": "1@chatroom", "displayName": "Boats", "type": "群聊"}'
    records(file, count, f'{{"session": {session}, "messages": [\n', record)


def whatsapp_exporter(file: TextIO, count: int) -> None:
    file.write('{"441234567890-1600000000@g.us": {"name": "Boats", "type": "android", "messages": {\n')
    for number, (time, name, text) in enumerate(messages(count)):
        head = {"from_me": False, "timestamp": time.timestamp(), "time": f"{time:%H:%M}", "media": False}
        head |= {"key_id": f"A{number}", "meta": False, "data": text.replace("\n", "<br>"), "sender": name}
        head |= {"safe": False, "mime": None, "reply": None, "quoted_data": None, "caption": None, "sticker": False}
        file.write((",\n" if number else "") + f'"{number}": {json.dumps(head, ensure_ascii=False)}')
    file.write("}}}\n")


def records(
    file: TextIO, count: int, head: str, record: Callable[[int, datetime, str, str], dict[str, Any]], foot: str = "]}\n"
) -> None:
    """Write a JSON document with an object a message: `record` gets the number, the time, the name and the text."""
    file.write(head)
    for number, message in enumerate(messages(count)):
        file.write((",\n" if number else "") + json.dumps(record(number, *message), ensure_ascii=False))
    file.write(foot)


WRITERS: dict[str, Callable[[TextIO, int], None]] = {
    "agnai": agnai,
    "backyard": backyard,
    "character_ai": character_ai,
    "chatgpt": chatgpt,
    "claude": claude,
    "discord": discord,
    "gemini": gemini,
    "janitorai": janitorai,
    "kakaotalk": kakaotalk,
    "kobold": kobold,
    "qq": qq,
    "qq_exporter": qq_exporter,
    "risuai": risuai,
    "sillytavern": sillytavern,
    "sms": sms,
    "telegram": telegram,
    "text_generation_webui": text_generation_webui,
    "viber": viber,
    "wechat": wechat,
    "wechat_json": wechat_json,
    "whatsapp": whatsapp,
    "whatsapp_exporter": whatsapp_exporter,
}
"""The writers by the names of the formats. Every chat format has one."""
JSON = frozenset(
    (
        "agnai",
        "backyard",
        "character_ai",
        "chatgpt",
        "claude",
        "discord",
        "gemini",
        "janitorai",
        "kobold",
        "qq_exporter",
        "risuai",
        "telegram",
        "text_generation_webui",
        "wechat_json",
        "whatsapp_exporter",
    )
)
"""Those whose exports are one JSON document: the json module reads them beside us."""
