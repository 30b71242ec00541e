"""QQ and WeChat: what tells their texts from each other and from a log, and what nobody said in them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import FormatError
from wolf_chatbox.importers import FORMATS, read_conversations, recognise
from wolf_chatbox.importers.files.source import Source


def told(path: Path, text: str) -> tuple[list[tuple[str, str]], Counter[str]]:
    """Who says what, and what is dropped."""
    path.write_text(text, encoding="utf-8")
    tally = Tally()
    chats = read_conversations(path, tally=tally)
    return [(turn.speaker, turn.text) for chat in chats for turn in chat.turns], tally.dropped


def qq(*said: tuple[str, str]) -> str:
    return "消息对象:湖\n" + "".join(
        f"2024-03-04 9:12:{at:02} {who}\n{text}\n\n" for at, (who, text) in enumerate(said)
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[图片]", "media"),
        ("[图片][表情]", "media"),
        ("[图片: 0CD3.jpg]", "media"),
        ("[语音]", "media"),
        ("[链接]title:湖", "media"),
        ("[红包]", "media"),
        ("安娜撤回了一条消息", "deleted message"),
        ("此消息已被撤回", "deleted message"),
        ("波波加入本群。", "system message"),
        ("安娜 拍了拍 波波", "system message"),
        ("[视频通话] 通话时长 00:32", "system message"),
    ],
)
def test_what_nobody_said(tmp_path: Path, text: str, reason: str) -> None:
    said = [("林(10001)", text), ("安娜(10002)", "我看见[捂脸]"), ("林(10001)", f"看{text}" * 50)]
    turns, dropped = told(tmp_path / "qq.txt", qq(*said))
    assert turns[0] == ("安娜", "我看见[捂脸]")
    assert len(turns) == 2
    assert dropped == {reason: 1}


def test_an_account_keeps_its_first_name(tmp_path: Path) -> None:
    said = [
        ("10001(10001)", "一"),
        ("林(10001)", "二"),
        ("【群主】小林(10001)", "三"),
        ("林<lin@example.com>", "四"),
        ("林<lin@example.com>", "五"),
        ("(10003)", "六"),
        ("(^_^)", "七"),
    ]
    turns, _ = told(tmp_path / "qq.txt", qq(*said))
    assert [name for name, _ in turns] == ["10001", "林", "林", "林", "林", "10003", "(^_^)"]


@pytest.mark.parametrize("first", ["最近联系人", "我的好友"])
def test_a_chat_that_stands_under_recent_contacts_too_is_read_once(tmp_path: Path, first: str) -> None:
    rule = "=" * 64
    second = {"最近联系人": "我的好友", "我的好友": "最近联系人"}[first]
    chats = [
        f"{rule}\n消息分组:{group}\n{rule}\n消息对象:林\n{rule}\n\n2024-03-04 9:12:00 林\n{group}\n\n"
        for group in (first, second)
    ]
    assert told(tmp_path / "qq.txt", "".join(chats)) == ([("林", "我的好友")], {"chat already read": 1})


def test_a_single_chat_under_recent_contacts_is_read(tmp_path: Path) -> None:
    text = "消息分组:最近联系人\n" + qq(("林", "一"))
    assert told(tmp_path / "qq.txt", text) == ([("林", "一")], {})


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("2024-03-04 09:12:33 林(100001)\n一\n\n2024-03-04 09:12:34 安娜<a@example.com>\n二\n", "qq"),
        ("林: 05-08 01:00:11\n一\n\n安娜: 05-08 01:00:12\n二\n", "qq"),
        ("林 2024-03-04 9:12:33\n一\n安娜 2024-03-04 9:12:34\n二\n", "qq"),
        ("【群主】林 9:12:33\n一\n【潜水】安娜 9:12:34\n二\n", "qq"),
        ("林 (wxid_a1) 2024-03-04 09:12:33\n一\n\n安娜(我) 2024-03-04 09:12:34\n二\n", "wechat"),
        ("2024-03-04 09:12:33 林\n一\n\n2024-03-04 09:12:34 安娜\n二\n\n2024-03-04 09:12:35 林\n三\n", "wechat"),
        ("林 (2024-03-04 09:12:33):一\n安娜 (2024-03-04 09:12:34):二\n", "wechat"),
        ("林(wxid_a1) 03-04 09:12:33\n一\n\n安娜(我) 03-04 09:12:34\n二\n", "wechat"),
        ("localId,IsSender,StrContent,StrTime\n1,1,一,2024-03-04 09:12:33\n", "wechat"),
        ('{"session": {}, "messages": [{"senderUsername": "a", "senderDisplayName": "林"}]}', "wechat_json"),
        ('{"metadata": {"name": "QQChatExporter V5"}, "chatInfo": {}, "messages": []}', "qq_exporter"),
    ],
)
def test_their_exports_are_told_apart(tmp_path: Path, text: str, name: str) -> None:
    path = tmp_path / "chat"
    path.write_text(text, encoding="utf-8")
    assert recognise(Source.open(path), ReadConfig()) == name
    assert [other for other, format in FORMATS.items() if format.claims(text) and not format.general] == [name]


def test_a_transcript_with_a_time_below_each_name_is_no_chat_of_qq() -> None:
    assert not FORMATS["qq"].claims("Speaker 1 0:00:05\nHello\nSpeaker 2 0:00:09\nHi\n")


def test_messages_copied_out_of_wechat_are_read_when_it_is_named(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    path.write_text("林:\n一: 二\n\n安娜：\n三\n\n林:\n[图片]\n", encoding="utf-8")
    assert not FORMATS["wechat"].claims(path.read_text(encoding="utf-8"))
    (chat,) = read_conversations(path, ReadConfig(format="wechat"), tally=(tally := Tally()))
    assert [(turn.speaker, turn.text) for turn in chat.turns] == [("林", "一: 二"), ("安娜", "三")]
    assert tally.dropped == {"media": 1}


def test_a_log_with_a_time_in_each_line_is_no_chat(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    path.write_text("".join(f"2024-03-04 09:12:{at} INFO started {at}\n" for at in range(10, 60)))
    with pytest.raises(FormatError):
        recognise(Source.open(path), ReadConfig())


def test_a_notice_of_wechatmsg_stands_in_the_place_of_a_name(tmp_path: Path) -> None:
    parts = ["33 林\n一", "34 你撤回了一条消息", "35 林\n二\n引用:安娜:三"]
    text = "".join(f"2024-03-04 09:12:{part}\n\n" for part in parts)
    assert told(tmp_path / "chat.txt", text) == ([("林", "一"), ("林", "二")], {"system message": 1})


def test_a_table_without_names_has_me_and_the_other(tmp_path: Path) -> None:
    rows = "localId,TalkerId,Type,SubType,IsSender,CreateTime,Status,StrContent,StrTime\n"
    rows += "1,7,1,0,1,1709514753,2,一,2024-03-04 09:12:33\n2,7,1,0,0,1709514753,2,二,2024-03-04 09:12:34\n"
    assert told(tmp_path / "chat.csv", rows)[0] == [("Me", "一"), ("Other", "二")]


def test_a_recalled_message_of_qqchatexporter_was_deleted_and_its_notices_are_the_system_s(tmp_path: Path) -> None:
    sender = {"uid": "u", "uin": "10001", "name": "林"}
    records = [
        {"sender": sender, "content": {"text": "一"}, "recalled": True},
        {"sender": sender, "content": {"text": "二"}, "system": True},
        {"sender": sender, "content": {"text": "三"}, "rawMessage": {"sendMemberName": "小林"}},
        {"sender": {"uin": "10002"}, "content": {"text": "四"}},
    ]
    document = {"metadata": {"name": "QQChatExporter V5"}, "chatInfo": {"name": "湖"}, "messages": records}
    assert told(tmp_path / "chat.json", json.dumps(document)) == (
        [("小林", "三"), ("10002", "四")],
        {"deleted message": 1, "system message": 1},
    )
