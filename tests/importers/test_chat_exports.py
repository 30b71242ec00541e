"""What the exports of chats hold beside the plain case: forms of versions and regions, what nobody said, threads."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers import read_conversations, recognise
from wolf_chatbox.importers.files.source import Source

RULE = "=" * 62


def read(path: Path, tally: Tally | None = None, **settings: object) -> list[Conversation]:
    return list(read_conversations(path, ReadConfig(**settings), tally))  # type: ignore[arg-type]


def write(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def told(path: Path, **settings: object) -> tuple[list[tuple[str, str]], dict[str, int]]:
    """Who says what in a file, and what of it is dropped."""
    tally = Tally()
    turns = [(turn.speaker, turn.text) for conversation in read(path, tally, **settings) for turn in conversation.turns]
    return turns, dict(tally.dropped)


# Discord


def test_a_text_of_discord_holds_what_looks_like_headers_and_marks(tmp_path: Path) -> None:
    lines = [
        "[01-May-24 06:30 PM] ann",
        "{Reactions} are fun",
        "[01-May-24 06:31 PM] bob",
        "",
        "{Attachments}",
        "x.png",
    ]
    path = write(tmp_path, "a.txt", "\n".join([RULE, "Guild: Boats", "Channel: Lake", RULE, "", *lines, "", ""]))
    assert told(path) == ([("ann", "{Reactions} are fun\n[01-May-24 06:31 PM] bob")], {})


def test_a_rule_typed_into_a_message_is_not_the_foot(tmp_path: Path) -> None:
    head = [RULE, "Guild: Boats", "Channel: Lake", RULE, "", "[01-May-24 06:30 PM] ann"]
    path = write(tmp_path, "a.txt", "\n".join([*head, RULE, "Exported 3 message(s)", RULE, "fun", "", ""]))
    assert told(path)[0] == [("ann", f"{RULE}\nExported 3 message(s)\n{RULE}\nfun")]


def test_a_table_of_discord_is_no_script(tmp_path: Path) -> None:
    table = 'AuthorID,Author,Date,Content,Attachments,Reactions\n"1","ann#1234","01-May-24 06:30 PM","hi","","",\n'
    path = write(tmp_path, "a.csv", table)
    assert recognise(Source.open(path), ReadConfig()) == "discord_csv"
    assert read(path)[0].turns == (Turn("ann", "hi", datetime(2024, 5, 1, 18, 30)),)


def test_times_of_discord_s_pages_are_exact_and_local_in_any_region(tmp_path: Path) -> None:
    exact = datetime(2024, 5, 1, 16, 30, 45)  # UTC
    number = (int((exact - datetime(1970, 1, 1)).total_seconds()) * 1000 - 1_420_070_400_000) << 22
    for shown in ("5/1/2024 6:30 PM", "01.05.2024 18:30", "2024/05/01 18:30", "01-May-24 06:30 PM"):
        page = (
            '<html><div class="chatlog__message-group"><div class="chatlog__message-container" '
            f'data-message-id="{number}"><span class="chatlog__author">ann</span>'
            f'<span class="chatlog__timestamp">{shown}</span><div class="chatlog__content">hi</div></div></div></html>'
        )
        (conversation,) = read(write(tmp_path, "a.html", page))
        assert conversation.turns[0].time == datetime(2024, 5, 1, 18, 30, 45)


def test_transcripts_of_bots_have_the_same_classes(tmp_path: Path) -> None:
    """The forms of chat_exporter: the id stands on the text too, files and embeds stand in it, a pin has no author."""
    container = (
        '<div class="chatlog__message-container" data-message-id="{0}">{1}<div class="chatlog__content" '
        'data-message-id="{0}" id="message-{0}"><span class="chatlog__markdown-preserve">{2}</span>{3}</div></div>'
    )
    author = (
        '<span class="chatlog__author-name" title="ann">Ann</span><span class="chatlog__timestamp">01-05-2024</span>'
    )
    file = '<div class="chatlog__attachment"><a href="x">oars.pdf</a></div>'
    first = (
        container.format(1, author, "hi", file)
        + container.format(2, "", "there", "")
        + container.format(3, "", "", file)
    )
    pin = container.format(4, "", '<span class="chatlog__reference-name">Ann</span> has pinned a message', "")
    page = "".join(f'<div class="chatlog__message-group">{inner}</div>' for inner in (first, pin))
    assert told(write(tmp_path, "a.html", f"<html>{page}</html>")) == (
        [("Ann", "hi"), ("Ann", "there")],
        {"media": 1, "system message": 1},
    )


# Telegram


def telegram(number: int, text: str, name: str = "Ann") -> str:
    who = f'<div class="from_name">{name}</div>' if name else ""
    return (
        f'<div class="message default clearfix{"" if name else " joined"}" id="message{number}"><div class="body">'
        f'<div class="pull_right date details" title="01.05.2024 18:{number:02}:00 UTC+01:00">18</div>{who}'
        f'<div class="text">{text}</div></div></div>'
    )


def test_files_of_a_telegram_chat_come_in_their_order(tmp_path: Path) -> None:
    for number in range(1, 12):
        name = "messages.html" if number == 1 else f"messages{number}.html"
        write(tmp_path, name, f"<html><body>{telegram(number, str(number))}</body></html>")
    (conversation,) = read(tmp_path)
    assert [turn.text for turn in conversation.turns] == [str(number) for number in range(1, 12)]


def test_a_joined_message_is_of_the_sender_before_it_and_not_of_whom_it_forwards(tmp_path: Path) -> None:
    forwarded = telegram(3, "old news", "").replace(
        '<div class="text">', '<div class="from_name">Zoe</div><div class="text">'
    )
    inside = (
        forwarded.replace('<div class="from_name">', '<div class="forwarded body"><div class="from_name">') + "</div>"
    )
    page = telegram(1, "a", "Ann via @gif") + telegram(2, "b", "") + inside + telegram(4, "c", "")
    assert told(write(tmp_path, "messages.html", f"<html>{page}</html>"))[0] == [
        ("Ann", "a"),
        ("Ann", "b"),
        ("Ann", "old news"),
        ("Ann", "c"),
    ]


# Slack


def slack(text: str, ts: str = "1714607990.000200", **more: Any) -> dict[str, Any]:
    return {"type": "message", "user": "U1", "text": text, "ts": ts} | more


def test_a_bot_has_its_profile_s_name(tmp_path: Path) -> None:
    bots = [
        slack("a", bot_id="B1", bot_profile={"name": "Weather"}),
        slack("b", bot_id="B1", username="Rain"),
        slack("c", bot_id="B1", user=None),
        slack("d", bot_profile="broken", bot_id=7, user=None),
    ]
    assert told(write(tmp_path, "day.json", json.dumps(bots)))[0] == [
        ("Weather", "a"),
        ("Rain", "b"),
        ("B1", "c"),
        ("7", "d"),
    ]


@pytest.mark.parametrize(
    "blocks",
    [None, 3, "x", [None], [{}], [{"type": "rich_text"}], [{"type": "rich_text", "elements": [{"elements": [3, {}]}]}]],
)
def test_broken_blocks_say_nothing(tmp_path: Path, blocks: Any) -> None:
    turns, dropped = told(write(tmp_path, "day.json", json.dumps([slack("", blocks=blocks), slack("hi")])))
    assert turns == [("U1", "hi")]
    assert sum(dropped.values()) == 1


def test_a_thread_shown_in_the_channel_is_read_once(tmp_path: Path) -> None:
    reply = slack("both", "1714608000.000100", subtype="thread_broadcast")
    first = slack("first", slackdump_thread_replies=[slack("only there", "1714607995.000100"), reply])
    path = write(
        tmp_path, "C1.json", json.dumps({"name": "boats", "messages": [first, reply, slack("last", "1714609000.1")]})
    )
    turns, dropped = told(path)
    assert [text for _, text in turns] == ["first", "only there", "both", "last"]
    assert dropped == {"duplicate message": 1}


# Skype and Teams


def skype(number: int, content: str, kind: str = "RichText", **more: Any) -> dict[str, Any]:
    time = f"2024-05-01T18:{number:02}:00.000Z"
    return {"id": str(number), "displayName": "Ann", "from": "8:ann", "originalarrivaltime": time} | {
        "messagetype": kind,
        "content": content,
        **more,
    }


@pytest.mark.parametrize(
    ("content", "kind", "text"),
    [
        ("a &lt;b&gt;\nc", "RichText", "a <b>\nc"),
        ('<a href="https://example.org">https://example.org</a>!', "RichText", "https://example.org!"),
        ('<ss type="laugh">:D</ss>', "RichText", ":D"),
        ('<quote author="bob"><legacyquote>[1] Bob: </legacyquote>old</quote>new', "RichText", "new"),
        ("<pre>x\n  y</pre>", "RichText", "x\ny"),
        ("<p>a</p>\n<p>b</p>", "RichText/Html", "a\nb"),
        (
            '<blockquote itemtype="http://schema.skype.com/Reply"><p>old</p></blockquote><p>new</p>',
            "RichText/Html",
            "new",
        ),
        ("<blockquote><p>a saying</p></blockquote>", "RichText/Html", "a saying"),
        ("<b>not</b> markup", "Text", "<b>not</b> markup"),
    ],
)
def test_a_text_of_skype_is_what_its_sender_wrote(tmp_path: Path, content: str, kind: str, text: str) -> None:
    for form in (
        {"conversations": [{"MessageList": [skype(1, content, kind)]}]},
        {"messages": [skype(1, content, kind)]},
    ):
        assert told(write(tmp_path, "a.json", json.dumps(form))) == ([("Ann", text)], {})


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (skype(1, "<partlist/>", "Event/Call"), "system message"),
        (skype(1, "", "ThreadActivity/TopicUpdate"), "system message"),
        (skype(1, "<URIObject/>", "RichText/UriObject"), "media"),
        (skype(1, "{}", "Poll"), "media"),
        (skype(1, "", properties={"deletetime": "1"}), "deleted message"),
        (skype(1, "<e_m></e_m>"), "deleted message"),
        (skype(1, "", "RichText/Html", properties={"files": '[{"title": "oars.pdf"}]'}), "media"),
        (skype(1, "", "RichText/Html", properties={"files": "[]"}), "no text"),
        ({"messagetype": [], "content": {}, "from": 3, "displayName": None}, "no text"),
    ],
)
def test_what_nobody_said_on_skype_is_counted(tmp_path: Path, record: Any, reason: str) -> None:
    path = write(tmp_path, "a.json", json.dumps({"conversations": [{"MessageList": [skype(2, "hi"), record]}]}))
    assert told(path) == ([("Ann", "hi")], {reason: 1})


# Newest first


def test_what_was_read_before_damage_is_kept_though_it_is_the_newest(tmp_path: Path) -> None:
    chat = {"conversations": [{"id": "8:bob", "displayName": "Bob", "MessageList": [skype(2, "two"), skype(1, "one")]}]}
    tally = Tally()
    path = write(tmp_path, "messages.json", json.dumps(chat)[:-4])
    assert [turn.text for conversation in read(path, tally) for turn in conversation.turns] == ["one", "two"]
    assert len(tally.unread) == 1


# Messenger


def test_chats_of_messenger_in_one_folder_stay_apart_by_their_titles(tmp_path: Path) -> None:
    for name, title in (("a", "Zo\\u00c3\\u00ab"), ("b", "Bob")):
        message = f'{{"sender_name": "Ann", "timestamp_ms": 1700000000000, "content": "to {name}"}}'
        write(tmp_path, f"{name}.json", f'{{"messages": [{message}], "title": "{title}", "thread_path": "x"}}')
    assert {(found.group, found.turns[0].text) for found in read(tmp_path)} == {("Zoë", "to a"), ("Bob", "to b")}
