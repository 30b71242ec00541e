"""The exports of messengers, of any size, for bench/importers.py: more writers for those of exports.py."""

from __future__ import annotations

import csv
import html
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, TextIO

import exports
from exports import NAMES, messages, records


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


def messenger(file: TextIO, count: int) -> None:
    def record(number: int, time: datetime, name: str, text: str) -> dict[str, Any]:
        name, text = (part.encode().decode("latin-1") for part in (name, text))
        return {"sender_name": name, "timestamp_ms": int(time.timestamp()) * 1000, "content": text}

    newest_first(file, count, '{"participants": [], "messages": [\n', record, '], "title": "Boats"}\n')


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


def newest_first(
    file: TextIO, count: int, head: str, record: Callable[[int, datetime, str, str], dict[str, Any]], foot: str = "]}\n"
) -> None:
    """Write such a document from the last message to the first."""
    file.write(head)
    for number, message in reversed(list(enumerate(messages(count)))):
        file.write(json.dumps(record(number, *message), ensure_ascii=False) + (",\n" if number else ""))
    file.write(foot)


WRITERS: dict[str, Callable[[TextIO, int], None]] = exports.WRITERS | {
    "discord_csv": discord_csv,
    "discord_html": discord_html,
    "discord_text": discord_text,
    "google_chat": google_chat,
    "hangouts": hangouts,
    "messenger": messenger,
    "skype": skype,
    "slack": slack,
    "slackdump": slackdump,
    "teams": teams,
    "telegram_html": telegram_html,
}
"""The writers of all chat formats."""
JSON = {*exports.JSON, "google_chat", "hangouts", "messenger", "skype", "slack", "slackdump", "teams"}
"""Those whose exports are one JSON document."""
