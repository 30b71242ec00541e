"""Exports of messengers."""

from __future__ import annotations

import csv
import html
import json
from datetime import datetime
from typing import Any, TextIO

from exports.drawn import NAMES, messages, newest_first, records


def discord(file: TextIO, count: int) -> None:
    def record(number: int, time: datetime, name: str, text: str) -> dict[str, Any]:
        author = {"id": "9", "name": name, "discriminator": "0000", "nickname": name}
        author |= {"color": None, "isBot": False, "roles": []}
        head = {"id": str(number), "type": "Default", "timestamp": f"{time.isoformat()}+00:00", "timestampEdited": None}
        head |= {"isPinned": False, "content": text, "author": author}
        return head | {key: [] for key in ("attachments", "embeds", "stickers", "reactions", "mentions")}

    records(file, count, '{"guild": {"id": "1"}, "channel": {"id": "2", "name": "boats"}, "messages": [\n', record)


def discord_csv(file: TextIO, count: int) -> None:
    file.write("AuthorID,Author,Date,Content,Attachments,Reactions\n")
    rows = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
    rows.writerows(
        ("9", name, f"{time.isoformat()}.0000000+00:00", text, "", "") for time, name, text in messages(count)
    )


def discord_html(file: TextIO, count: int) -> None:
    """Each message a group of its own, in the words of version 2.40."""
    file.write('<!DOCTYPE html><html lang="en"><head><title>Boats - lake</title></head><body><div class="chatlog">\n')
    for number, (time, name, text) in enumerate(messages(count)):
        id = (int((time - datetime(2015, 1, 1)).total_seconds()) * 1000 << 22) + number % 4096
        name, text = html.escape(name), html.escape(text)
        file.write(
            f'<div class="chatlog__message-group"><div id="chatlog__message-container-{id}" '
            f'class="chatlog__message-container " data-message-id="{id}"><div class="chatlog__message"><div '
            'class="chatlog__message-aside"><img class="chatlog__avatar" src="a.png" alt="Avatar" loading="lazy"></div>'
            f'<div class="chatlog__message-primary"><div class="chatlog__header"><span class="chatlog__author" '
            f'title="{name}" data-user-id="9">{name}</span> <span class="chatlog__timestamp"><a href="#{id}">'
            f'{time:%d/%m/%Y %H:%M}</a></span></div><div class="chatlog__content chatlog__markdown"><span '
            f'class="chatlog__markdown-preserve">{text}</span></div></div></div></div></div>\n'
        )
    file.write("</div></body></html>\n")


def discord_text(file: TextIO, count: int) -> None:
    rule = "=" * 62
    file.write(f"{rule}\nGuild: Boats\nChannel: lake\n{rule}\n\n")
    for time, name, text in messages(count):
        file.write(f"[{time:%d/%m/%Y %H:%M}] {name}\n{text}\n\n\n")
    file.write(f"{rule}\nExported {count:,} message(s)\n{rule}\n")


def google_chat(file: TextIO, count: int) -> None:
    def record(number: int, time: datetime, name: str, text: str) -> dict[str, Any]:
        creator = {"name": name, "email": "a@example.org", "user_type": "Human"}
        date = f"{time:%A, %B} {time.day}, {time:%Y at %I:%M:%S\u202f%p} UTC"
        head = {"creator": creator, "created_date": date, "text": text}
        return head | {"topic_id": f"t{number}", "message_id": f"x/t{number}/t{number}"}

    records(file, count, '{"messages": [\n', record)


def hangouts(file: TextIO, count: int) -> None:
    people = [{"id": {"gaia_id": str(at), "chat_id": str(at)}, "fallback_name": name} for at, name in enumerate(NAMES)]
    head = json.dumps({"conversation": {"conversation": {"participant_data": people}}}, ensure_ascii=False)

    def record(number: int, time: datetime, name: str, text: str) -> dict[str, Any]:
        sender = people[NAMES.index(name)]["id"]
        event = {"sender_id": sender, "timestamp": str(int(time.timestamp()) * 1_000_000), "event_id": str(number)}
        segments = [{"type": "TEXT", "text": text, "formatting": {}}]
        return event | {
            "chat_message": {"message_content": {"segment": segments}},
            "event_type": "REGULAR_CHAT_MESSAGE",
        }

    records(file, count, f'{{"conversations": [{head[:-1]}, "events": [\n', record, "]}]}\n")


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


def messenger(file: TextIO, count: int) -> None:
    def record(number: int, time: datetime, name: str, text: str) -> dict[str, Any]:
        name, text = (part.encode().decode("latin-1") for part in (name, text))
        return {"sender_name": name, "timestamp_ms": int(time.timestamp()) * 1000, "content": text}

    newest_first(file, count, '{"participants": [], "messages": [\n', record, '], "title": "Boats"}\n')


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


def skype(file: TextIO, count: int) -> None:
    def record(number: int, time: datetime, name: str, text: str) -> dict[str, Any]:
        head = {"id": str(number), "displayName": name, "originalarrivaltime": f"{time.isoformat()}.000Z"}
        head |= {"messagetype": "RichText", "version": number, "content": html.escape(text), "conversationid": "8:a"}
        return head | {"from": f"8:live:{name}", "properties": None, "amsreferences": None}

    head = '{"userId": "8:live:a", "conversations": [{"id": "8:a", "displayName": "Boats", "MessageList": [\n'
    newest_first(file, count, head, record, "]}]}\n")


def slack(file: TextIO, count: int) -> None:
    records(file, count, "[\n", _slack, "]\n")


def slackdump(file: TextIO, count: int) -> None:
    records(file, count, '{"channel_id": "C1", "name": "boats", "messages": [\n', _slack)


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


def _slack(number: int, time: datetime, name: str, text: str) -> dict[str, Any]:
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    head = {"client_msg_id": str(number), "type": "message", "user": name, "text": html.escape(text, quote=False)}
    head |= {"ts": f"{int(time.timestamp())}.{number % 1_000_000:06}"}
    return head | {"blocks": [{"type": "rich_text", "block_id": "b", "elements": [section]}]}


def teams(file: TextIO, count: int) -> None:
    def record(number: int, time: datetime, name: str, text: str) -> dict[str, Any]:
        lines = "".join(f"<p>{html.escape(line)}</p>" for line in text.split("\n"))
        head = {"id": str(number), "type": "Message", "imdisplayname": name, "content": lines, "properties": {}}
        return head | {"messagetype": "RichText/Html", "originalarrivaltime": f"{time.isoformat()}.000Z", "from": "8:a"}

    newest_first(file, count, '{"messages": [\n', record)


def telegram(file: TextIO, count: int) -> None:
    def record(number: int, time: datetime, name: str, text: str) -> dict[str, Any]:
        unix = str(int(time.timestamp()))
        head = {"id": number, "type": "message", "date": time.isoformat(), "date_unixtime": unix, "from": name}
        return head | {"from_id": "user1", "text": text, "text_entities": [{"type": "plain", "text": text}]}

    records(file, count, '{"name": "Boats", "type": "private_group", "id": 1, "messages": [\n', record)


def telegram_html(file: TextIO, count: int) -> None:
    """Without the lines between days; each message has its name."""
    file.write('<!DOCTYPE html><html><body><div class="page_body chat_page"><div class="history">\n')
    for number, (time, name, text) in enumerate(messages(count)):
        lines = html.escape(text).replace("\n", "<br>")
        file.write(
            f'\n     <div class="message default clearfix" id="message{number}">\n\n'
            '      <div class="pull_left userpic_wrap">\n\n'
            '       <div class="userpic userpic3" style="width: 42px; height: 42px">\n\n'
            '        <div class="initials" style="line-height: 42px">\nA\n        </div>\n\n'
            '       </div>\n\n      </div>\n\n      <div class="body">\n\n'
            f'       <div class="pull_right date details" title="{time:%d.%m.%Y %H:%M:%S} UTC+01:00">\n{time:%H:%M}\n'
            f'       </div>\n\n       <div class="from_name">\n{html.escape(name)} \n       </div>\n\n'
            f'       <div class="text">\n{lines}\n       </div>\n\n      </div>\n\n     </div>\n'
        )
    file.write("</div></div></body></html>\n")


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


def whatsapp(file: TextIO, count: int) -> None:
    for time, name, text in messages(count):
        file.write(f"{time:%d/%m/%Y, %H:%M} - {name}: {text}\n")


def whatsapp_exporter(file: TextIO, count: int) -> None:
    file.write('{"441234567890-1600000000@g.us": {"name": "Boats", "type": "android", "messages": {\n')
    for number, (time, name, text) in enumerate(messages(count)):
        head = {"from_me": False, "timestamp": time.timestamp(), "time": f"{time:%H:%M}", "media": False}
        head |= {"key_id": f"A{number}", "meta": False, "data": text.replace("\n", "<br>"), "sender": name}
        head |= {"safe": False, "mime": None, "reply": None, "quoted_data": None, "caption": None, "sticker": False}
        file.write((",\n" if number else "") + f'"{number}": {json.dumps(head, ensure_ascii=False)}')
    file.write("}}}\n")
