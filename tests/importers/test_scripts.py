"""Scripts as tables, and messages in JSON."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation, Turn, parse_conversations, write_conversations
from wolf_chatbox.data.split import count_speakers
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers import read_conversations

FIXTURES = Path(__file__).parents[1] / "fixtures"
RICK_AND_MORTY = Path(__file__).parents[3] / "shared/data/rick_and_morty/RickAndMortyScripts.csv"


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


def test_the_jumps_of_the_index_are_noted() -> None:
    tally = Tally()
    read(FIXTURES / "script/episodes.input.csv", tally)
    assert tally.notes == [
        "episodes.input.csv: 4 gaps in the index (missing lines): "
        "1 bridged, 2 above 5 begin a new conversation, 1 between episodes or scenes"
    ]


@pytest.mark.parametrize(("cut_at_jump", "lengths"), [(4, [3, 1, 2, 1, 2]), (5, [4, 2, 1, 2]), (6, [6, 1, 2])])
def test_an_index_that_jumps_by_more_than_the_limit_cuts(cut_at_jump: int, lengths: list[int]) -> None:
    conversations = read(FIXTURES / "script/episodes.input.csv", cut_at_jump=cut_at_jump)
    assert [len(conversation.turns) for conversation in conversations] == lengths


def test_an_index_that_begins_anew_with_each_episode_is_no_jump(tmp_path: Path) -> None:
    tally = Tally()
    path = write(tmp_path, "play.csv", "index,episode,name,line\n1,1,Ada,a\n2,1,Bob,b\n1,2,Ada,c\n2,2,Bob,d\n")
    assert [conversation.group for conversation in read(path, tally)] == ["1", "2"]
    assert tally.notes == []


def test_columns_are_found_by_the_names_given(tmp_path: Path) -> None:
    path = write(tmp_path, "play.csv", "Nr,Wer,Was sie sagt,name\n1,Ada,Hallo,x\n2,Bob,Tag,y\n")
    expected = [Conversation((Turn("Ada", "Hallo"), Turn("Bob", "Tag")), "play")]
    assert read(path, speaker_column="Wer", text_column="Was sie sagt") == expected
    assert read(path, speaker_column="wer", text_column="was_sie_sagt") == expected


def test_one_given_column_leaves_the_other_to_be_recognised(tmp_path: Path) -> None:
    path = write(tmp_path, "play.txt", "who said it,line\nAda,Hallo\n")
    assert read(path, speaker_column="who said it") == [Conversation((Turn("Ada", "Hallo"),), "play")]


def test_a_given_column_that_is_not_there_is_an_error_that_names_those_that_are(tmp_path: Path) -> None:
    path = write(tmp_path, "play.csv", "name,line\nAda,Hallo\n")
    with pytest.raises(
        DataError, match=r"play\.csv, line 1: no column 'speech' \(found: name, line\)\. Pass --text-column\."
    ):
        read(path, text_column="speech")


def test_blank_lines_before_the_header_are_passed_over(tmp_path: Path) -> None:
    path = write(tmp_path, "play.csv", "\r\n  \r\nname,line\r\nAda,Hallo\r\n")
    assert read(path) == [Conversation((Turn("Ada", "Hallo"),), "play")]


def test_no_byte_order_mark_is_left_whatever_encoding_is_given(tmp_path: Path) -> None:
    for encoding in ("utf-8", "utf-16-le"):
        path = write(tmp_path, "play.csv", "\ufeffname,line\nAda,Hallo\n".encode(encoding))
        assert read(path, encoding=encoding) == [Conversation((Turn("Ada", "Hallo"),), "play")]
        path = write(tmp_path, "talk.jsonl", '\ufeff{"turns": [{"speaker": "a", "text": "b"}]}\n'.encode(encoding))
        assert read(path, encoding=encoding) == [Conversation((Turn("a", "b"),), "talk 1")]
        path = write(tmp_path, "raw.json", '\ufeff["a"]'.encode(encoding))
        assert read(path, encoding=encoding) == [Conversation((Turn("A", "a"),), "raw 1")]


@pytest.mark.parametrize("encoding", ["cp932", "euc_jp", "iso2022_jp", "utf-16", "utf-16-le", "utf-8"])
@pytest.mark.parametrize("shift", range(4))
def test_a_character_across_the_end_of_the_head_is_no_error(tmp_path: Path, encoding: str, shift: int) -> None:
    content = "name,line\n" + "a" * (shift + 1) + ",b\n" + "漢字,「かな」\n" * 6_000
    path = write(tmp_path, "long.csv", content.encode(encoding))
    assert path.stat().st_size > 1 << 16
    (conversation,) = read(path, encoding="auto" if encoding in ("utf-8", "utf-16") else encoding)
    assert len(conversation.turns) == 6_001
    assert conversation.turns[-1] == Turn("漢字", "「かな」")


def test_what_is_read_as_cp1252_unasked_is_noted() -> None:
    tally = Tally()
    read(FIXTURES / "script/cp1252.input.csv", tally)
    assert tally.notes == ["cp1252.input.csv: not UTF-8, read as CP1252; if characters look wrong, pass --encoding"]
    asked = Tally()
    read(FIXTURES / "script/cp1252.input.csv", asked, encoding="cp1252")
    assert asked.notes == []


# Messages


def test_json_lines_whose_first_line_is_longer_than_the_head(tmp_path: Path) -> None:
    long = '{"messages": [' + ", ".join(['{"role": "user", "content": "word"}'] * 3_000) + "]}\n"
    path = write(tmp_path, "long.jsonl", long + '{"messages": [{"role": "user", "content": "last"}]}\n')
    assert [len(conversation.turns) for conversation in read(path)] == [3_000, 1]


def test_a_list_in_one_line_may_be_longer_than_a_line_of_dialogue(tmp_path: Path) -> None:
    one = '{"conversations": [{"from": "human", "value": "' + "word " * 200 + '"}]}'
    path = write(tmp_path, "long.json", "[" + ", ".join([one] * 1_100) + "]")
    assert path.stat().st_size > 1_000_000
    assert len(read(path)) == 1_100


def test_a_bare_list_of_messages_a_line(tmp_path: Path) -> None:
    path = write(tmp_path, "bare.jsonl", '[{"role": "user", "content": "a"}]\n[{"role": "user", "content": "b"}]\n')
    assert read(path) == [Conversation((Turn("user", "a"),), "bare 1"), Conversation((Turn("user", "b"),), "bare 2")]


def test_half_an_emoji_becomes_a_question_mark_that_a_file_can_hold(tmp_path: Path) -> None:
    whole_and_half = r'"\ud83d\ude00 \ud83d"'
    for name, content in {
        "a.jsonl": f'{{"turns": [{{"speaker": {whole_and_half}, "text": {whole_and_half}}}]}}',
        "b.jsonl": f'{{"messages": [{{"role": "user", "name": {whole_and_half}, "content": {whole_and_half}}}]}}',
    }.items():
        (conversation,) = read(write(tmp_path, name, content))
        assert conversation.turns == (Turn("😀 ?", "😀 ?"),)


@pytest.mark.skipif(not RICK_AND_MORTY.exists(), reason="the Rick and Morty script is not there")
def test_the_rick_and_morty_script() -> None:
    tally = Tally()
    conversations = read(RICK_AND_MORTY, tally)
    assert (tally.read, tally.kept) == (1905, 1905)
    assert len({conversation.group for conversation in conversations}) == 11
    assert len(count_speakers(conversations)) == 48
    (note,) = tally.notes
    assert note == (
        "RickAndMortyScripts.csv: 315 gaps in the index (missing lines): "
        "292 bridged, 17 above 5 begin a new conversation, 6 between episodes or scenes"
    )
    assert list(parse_conversations(written(conversations).splitlines(), "again")) == conversations
