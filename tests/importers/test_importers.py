"""Every importer, on the files in fixtures/<importer>/: <case>.input.<ext> is read, <case>.jsonl is expected."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation, Turn, write_conversations
from wolf_chatbox.data.split import count_speakers
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError, FormatError
from wolf_chatbox.importers import FORMATS, _template, read_conversations, recognise
from wolf_chatbox.importers.files.source import Source

FIXTURES = Path(__file__).parents[1] / "fixtures"
INPUTS = sorted(FIXTURES.glob("*/*.input.*"))

DROPPED = {
    "agnai/inn": {"system message": 1, "other reply": 1, "no text": 1, "media": 1},
    "aiwolf/contest": {
        "Over (nothing to say)": 1,
        "Skip (nothing to say)": 1,
        "no text": 1,
        "model refusal": 1,
        "leaked prompt": 1,
    },
    "aiwolf/protocol": {
        "Over (nothing to say)": 1,
        "Skip (nothing to say)": 1,
        "ForceSkip (nothing to say)": 1,
        "speaker is not a player": 1,
    },
    "aiwolf/six": {"Over (nothing to say)": 6, "Skip (nothing to say)": 1},
    "aiwolf/translated": {"Over (nothing to say)": 1, "Skip (nothing to say)": 1, "no text": 1, "model refusal": 1},
    "aiwolf_json/group_chat": {"Over (nothing to say)": 1},
    "aiwolf_json/six": {"Over (nothing to say)": 6, "Skip (nothing to say)": 1},
    "aiwolf_json/six_realtime": {"Over (nothing to say)": 6, "Skip (nothing to say)": 1},
    "aistudio/prompt": {"system message": 5, "media": 1},
    "backyard/inn": {"no text": 1},
    "card/v1": {"system message": 1},
    "card/v2": {"no text": 1},
    "character_ai/dumps": {"other reply": 4, "media": 1},
    "chatgpt/export": {"system message": 6, "media": 2, "on another branch": 4},
    "chatgpt/single": {"no text": 1},
    "chatgpt_markdown/boats": {"system message": 2, "media": 2},
    "claude/export": {"system message": 3, "media": 1, "on another branch": 2},
    "claude/single": {"on another branch": 1},
    "convai2/self": {"system message": 3},
    "conversations/own": {"no speaker": 1, "no text": 1},
    "convokit/threads": {"on another branch": 3},
    "cornell/corpus": {"no text": 1, "not in any conversation": 1},
    "dialogues/personas": {"system message": 10, "no text": 2, "no speaker": 1},
    "discord/channel": {"system message": 1, "media": 1},
    "discord_csv/channel": {"system message": 1, "media": 1, "no text": 1},
    "discord_html/channel": {"system message": 1, "media": 2},
    "discord_html/older": {"system message": 1},
    "discord_text/channel": {"system message": 2, "media": 1},
    "fanlang/game": {"no speaker": 1, "no text": 1},
    "gemini/activity": {"system message": 2, "media": 1},
    "gemini/page": {"system message": 1, "media": 1},
    "google_chat/takeout": {"media": 1, "deleted message": 1},
    "hangouts/Hangouts": {"system message": 1, "media": 1},
    "imessage/ann": {"system message": 1, "media": 1},
    "irc/2024-05-01_ubuntu": {"system message": 4},
    "irc/2024-05-01_znc": {"system message": 1},
    "irc/irssi": {"system message": 1},
    "irc/lounge": {"system message": 2},
    "irc/mirc": {"system message": 8},
    "irc/weechat": {"system message": 1},
    "janitorai/inn": {"other reply": 2},
    "jinro_bbs/rain": {"no text": 1},
    "jinro_bbs/shift_jis": {"no text": 1},
    "kakaotalk/android": {"system message": 4, "media": 2, "deleted message": 1},
    "kakaotalk/android_english": {"media": 1},
    "kakaotalk/iphone": {"system message": 3, "media": 1},
    "kakaotalk/iphone_clock": {"media": 1, "system message": 1},
    "kakaotalk/iphone_english": {"system message": 2, "media": 1},
    "kakaotalk/mac": {"system message": 2, "media": 1, "deleted message": 1},
    "kakaotalk/windows": {"system message": 3, "media": 2},
    "kakaotalk/windows_english": {"system message": 2, "media": 1, "deleted message": 1},
    "kobold/saves": {"other reply": 2, "system message": 4},
    "line/chinese": {"media": 1},
    "line/japanese": {"media": 1, "system message": 1, "deleted message": 1},
    "llmafia/games": {"line written twice": 3, "no text": 1, "system message": 1, "vote by a dead player": 1},
    "mafia_tables/game": {"no text": 1},
    "messages/openai": {"no text": 1},
    "messages/openai_document": {"no speaker": 1},
    "messages/openassistant": {"no text": 1},
    "messages/sharegpt": {"no text": 1},
    "messenger/two_files": {"system message": 1, "deleted message": 1, "media": 1},
    "oasst/messages": {"lower-ranked reply": 3, "deleted message": 1},
    "oasst/trees": {"lower-ranked reply": 3, "deleted message": 1},
    "onuw/night": {"no text": 1, "vote, kept as an event": 4},
    "onuw/nobody": {"vote, kept as an event": 2},
    "play/folger": {"system message": 10},
    "play/gutenberg": {"system message": 20},
    "play/tiny": {"no text": 1},
    "preferences/forms": {"rejected reply": 6, "tied reply": 2},
    "preferences/hh": {"rejected reply": 5},
    "preferences/red_team": {"no text": 1},
    "qq/all_chats": {"chat already read": 1, "media": 1, "system message": 1, "deleted message": 1},
    "qq/copied": {"media": 1},
    "qq/copied_older": {"media": 1},
    "qq_exporter/text": {"media": 1, "system message": 1},
    "qq_exporter/version_4": {"deleted message": 1},
    "qq_exporter/version_5": {"media": 2, "deleted message": 1, "system message": 1},
    "raw/lines": {"no text": 2},
    "risuai/inn": {"system message": 2, "no text": 2},
    "rows/lines": {"no text": 1},
    "screenplay/film": {"system message": 4},
    "screenplay/transcript": {"system message": 2},
    "script/emorynlp": {"no speaker": 1},
    "script/missing_parts": {"no speaker": 1, "no text": 3},
    "signal/chat": {"media": 1},
    "sillytavern/inn": {"system message": 4, "media": 1, "no text": 1, "other reply": 4},
    "skype/messages": {"system message": 2, "media": 1, "deleted message": 2},
    "slack/blocks": {"media": 1},
    "slack/workspace": {"system message": 1, "media": 1, "deleted message": 1},
    "slackdump/dump": {"system message": 1, "duplicate message": 1, "media": 1, "deleted message": 1},
    "sms/backup": {"system message": 1, "media": 1, "no text": 1},
    "subtitles/names": {"no speaker": 1, "system message": 1},
    "subtitles/voices": {"system message": 1},
    "teams/chat": {"system message": 1, "media": 2, "deleted message": 1},
    "telegram/one_chat": {"system message": 1, "media": 1},
    "telegram_html/boats": {"system message": 3, "media": 3},
    "text_generation_webui/logs": {"other reply": 1, "media": 1},
    "topical_chat/part": {"no text": 1},
    "viber/ann": {"media": 1, "system message": 1},
    "wechat/chatlog": {"media": 2},
    "wechat/wechatexporter": {"media": 2, "system message": 1},
    "wechat/wechatmsg": {"media": 2, "system message": 1},
    "wechat/wechatmsg_table": {"media": 2, "system message": 1},
    "wechat_json/weflow": {"media": 1, "system message": 1},
    "werewolf_among_us/train": {"no text": 1},
    "werewolf_arena/game_complete": {"no text": 1},
    "whatsapp/android_us": {"system message": 3, "media": 2, "deleted message": 1},
    "whatsapp/chinese_simplified": {"system message": 1, "media": 3, "deleted message": 1},
    "whatsapp/chinese_traditional": {"system message": 1, "media": 2, "deleted message": 1},
    "whatsapp/iphone_german": {"system message": 1, "media": 2, "deleted message": 1},
    "whatsapp/iso_seconds": {"system message": 1, "media": 1, "deleted message": 1},
    "whatsapp/japanese": {"media": 1},
    "whatsapp/korean": {"system message": 1, "media": 2, "deleted message": 1},
    "whatsapp/spanish_12_hours": {"media": 1, "deleted message": 1},
    "whatsapp/vietnamese": {"system message": 1, "media": 2, "deleted message": 1},
    "whatsapp_exporter/result": {"media": 1, "deleted message": 1, "system message": 1},
}
"""Turns dropped from a case; none from the others."""


def case_of(path: Path) -> str:
    return f"{path.parent.name}/{path.name.partition('.')[0]}"


def read(path: str | Path, tally: Tally | None = None, **settings: object) -> list[Conversation]:
    return list(read_conversations(path, ReadConfig(**settings), tally))  # type: ignore[arg-type]


def written(conversations: list[Conversation]) -> str:
    file = io.StringIO()
    write_conversations(conversations, file)
    return file.getvalue()


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


# The fixtures


def test_every_importer_has_a_case_and_every_case_its_expectation() -> None:
    assert {path.parent.name for path in INPUTS} == set(FORMATS)
    assert sorted(map(case_of, INPUTS)) == sorted(
        case_of(path) for path in FIXTURES.glob("*/*.jsonl") if ".input." not in path.name
    )
    assert set(DROPPED) <= set(map(case_of, INPUTS))


@pytest.mark.parametrize("path", INPUTS, ids=case_of)
def test_a_case_reads_as_expected(path: Path) -> None:
    tally = Tally()
    conversations = read(path, tally)
    assert written(conversations) == (FIXTURES / f"{case_of(path)}.jsonl").read_text(encoding="utf-8")
    assert tally.dropped == Counter(DROPPED.get(case_of(path), {}))
    assert tally.kept == sum(len(conversation.turns) for conversation in conversations)
    assert tally.read == tally.kept + tally.dropped.total()


@pytest.mark.parametrize("path", INPUTS, ids=case_of)
def test_a_case_is_recognised_and_reads_the_same_when_its_format_is_given(path: Path) -> None:
    name = path.parent.name
    found, given_ = Tally(), Tally()
    assert read(path, found) == read(path, given_, format=name)
    assert found.dropped == given_.dropped
    assert {title for _, title in found.formats} == {FORMATS[name].title}


@pytest.mark.parametrize("path", [path for path in INPUTS if path.parent.name != "conversations"], ids=case_of)
def test_a_converted_case_reads_back_as_itself(path: Path) -> None:
    expected = FIXTURES / f"{case_of(path)}.jsonl"
    assert recognise(Source.open(expected), ReadConfig()) == "conversations"
    assert read(expected) == read(path)


# Laws

names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=5)
lines = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=12)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("laws") / "file"


@settings(deadline=None)  # files are written
@given(st.lists(st.tuples(names, lines)), st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"]))
def test_every_row_of_a_script_is_kept_or_counted(
    scratch: Path, rows: list[tuple[str, str]], delimiter: str, end: str
) -> None:
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator=end).writerows([("name", "line"), *rows])
    scratch.write_bytes(file.getvalue().encode())
    tally = Tally()
    turns = [turn for conversation in read(scratch, tally, format="script") for turn in conversation.turns]
    assert turns == [Turn(name.strip(), line.strip()) for name, line in rows if name.strip() and line.strip()]
    assert tally.read == sum(bool(name.strip() or line.strip()) for name, line in rows)
    assert tally.dropped["no speaker"] == sum(bool(line.strip() and not name.strip()) for name, line in rows)


@settings(deadline=None)  # files are written
@given(st.lists(st.lists(st.tuples(names, lines)), min_size=1))
def test_every_turn_of_a_conversation_is_kept_or_counted(scratch: Path, talks: list[list[tuple[str, str]]]) -> None:
    conversations = [Conversation(tuple(Turn(*turn) for turn in talk), "g") for talk in talks]
    scratch.write_text(written(conversations), encoding="utf-8")
    tally = Tally()
    read(scratch, tally, format="conversations")
    assert tally.read == sum(map(len, talks))
    assert tally.kept == sum(bool(name.strip() and line.strip()) for talk in talks for name, line in talk)


@settings(deadline=None)  # files are written
@given(
    st.binary(max_size=200),
    st.sampled_from(
        [b"", b"name,line\n", b"name;line\na;", b'{"turns": [', b'{"messages": [', b'["', b"a<|endoftext|>"]
    ),
)
def test_any_bytes_are_read_or_give_one_line(scratch: Path, junk: bytes, start: bytes) -> None:
    scratch.write_bytes(start + junk)
    for name in ("auto", *FORMATS):
        tally, message, conversations = Tally(), "", []
        try:
            conversations = read(scratch, tally, format=name)
        except DataError as error:
            message = str(error)
        if message:
            assert message.startswith(str(scratch))
            assert len(message.splitlines()) == 1
        else:
            assert tally.kept == sum(len(conversation.turns) for conversation in conversations)
            assert all(turn.speaker and turn.text for conversation in conversations for turn in conversation.turns)


# Recognition


@pytest.mark.parametrize(
    ("name", "content", "claimed", "meant"),
    [
        ("a.csv", "name,line\nAda,say <|endoftext|>\n", "raw or script", "script"),
        (
            "a.jsonl",
            '{"turns": [{"speaker": "a", "text": "b"}], "role": "x", "content": "y", "messages": []}\n',
            "conversations or messages",
            "conversations",
        ),
    ],
)
def test_two_claims_ask_for_the_format(tmp_path: Path, name: str, content: str, claimed: str, meant: str) -> None:
    path = write(tmp_path, name, content)
    with pytest.raises(FormatError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: could be {claimed}")
    assert str(caught.value).endswith(("ass --format.", f"ass --format {meant}."))
    assert len(read(path, format=meant)) == 1


def test_no_claim_says_what_is_seen_and_what_is_supported(tmp_path: Path) -> None:
    path = write(tmp_path, "letter.txt", "Dear Ada,\nhow are you?\n")
    with pytest.raises(FormatError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: not a known format, but prose without speakers. Chat exports, ")
    assert len(str(caught.value)) < 300


def test_a_line_of_dialogue_in_brackets_is_raw_and_json_is_not(tmp_path: Path) -> None:
    assert recognise(Source.open(write(tmp_path, "a.txt", "[Intro] Hi<|endoftext|>Ho\n")), ReadConfig()) == "raw"
    message = '{"messages": [{"role": "user", "content": "<|endoftext|>"}]}'
    for content in (message, f"[{message}]", f"[\n {message}\n]"):
        assert recognise(Source.open(write(tmp_path, "a.json", content)), ReadConfig()) == "messages"


# Whole files


def test_the_files_of_a_list_are_read_one_after_the_other() -> None:
    tally = Tally()
    first, second = FIXTURES / "raw/lines.input.txt", FIXTURES / "script/scenes.input.csv"
    assert list(read_conversations([first, str(second)], tally=tally)) == read(first) + read(second)
    assert tally.formats == [(str(first), FORMATS["raw"].title), (str(second), FORMATS["script"].title)]


def test_the_example_is_the_bundled_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tally = Tally()
    conversations = read("example", tally)
    assert (tally.kept, tally.dropped.total()) == (566, 0)
    assert len({conversation.group for conversation in conversations}) == 13
    assert count_speakers(conversations).most_common(1)[0][0] == "Grimbold"
    assert tally.formats == [("example", "script table (CSV, TSV)")]


def test_the_japanese_example_is_a_script_with_one_main_character() -> None:
    tally = Tally()
    conversations = read("example-ja", tally)
    assert (tally.kept, tally.dropped.total(), tally.joined) == (594, 0, 0)
    assert tally.formats == [("example-ja", "script table (CSV, TSV)")]
    assert len({conversation.group for conversation in conversations}) == 14
    speakers = count_speakers(conversations)
    assert len(speakers) == 12
    [(main, said), (other, _)] = speakers.most_common(2)
    assert (main, other) == ("おトラ", "旅人")
    assert said >= 0.45 * speakers.total()


def test_the_lines_of_the_japanese_example_are_short_and_all_different() -> None:
    turns = [turn for conversation in read("example-ja") for turn in conversation.turns]
    assert max(len(turn.text) for turn in turns) <= 120
    replies = [turn.text for turn in turns if turn.speaker == "おトラ"]
    assert all(5 <= len(reply) <= 80 for reply in replies)
    assert len(set(replies)) == len(replies)


def test_a_file_of_the_name_goes_before_the_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "example", "name,line\nAda,Hallo\n")
    assert read("example") == [Conversation((Turn("Ada", "Hallo"),), "example")]


def test_the_template_is_a_format(tmp_path: Path) -> None:
    source = Source.open(
        write(tmp_path, "chat.txt", "12:00 Ann> Who brings the oars?\n-- Bob joins --\n12:01 Bob> Not me.\n")
    )
    tally = Tally()
    (conversation,) = _template.FORMAT.read(source, ReadConfig(), tally)
    assert _template.FORMAT.claims(source.head)
    assert conversation == Conversation((Turn("Ann", "Who brings the oars?"), Turn("Bob", "Not me.")), "chat")
    assert tally.dropped == {"system message": 1}
