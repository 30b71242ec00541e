"""JSON, read piece by piece."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally, Truncated
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.streams import json_stream
from wolf_chatbox.importers.streams.json_stream import JsonStream

FIXTURES = Path(__file__).parents[1] / "fixtures"


def read(path: Path, tally: Tally | None = None, **settings: Any) -> list[Conversation]:
    return list(read_conversations(path, ReadConfig(**settings), tally))


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def walked(stream: JsonStream) -> Any:
    if stream.begins() == "{":
        return {key: walked(stream) for key in stream.fields()}
    if stream.begins() == "[":
        return [walked(stream) for _ in stream.elements()]
    return stream.value()


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("json") / "file.json"


def stream_of(path: Path, text: str) -> JsonStream:
    path.write_text(text, encoding="utf-8")
    return JsonStream(Source(path, "utf-8", text[: 1 << 16]))


@settings(deadline=None)
@given(values, st.sampled_from([1, 2, 7, 1 << 18]), st.sampled_from([None, 1]), st.booleans())
def test_walking_gives_what_parsing_does(
    scratch: Path, value: Any, chunk: int, indent: int | None, ascii: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "CHUNK", chunk)
        with stream_of(scratch, json.dumps(value, indent=indent, ensure_ascii=ascii)) as stream:
            assert walked(stream) == value


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.text(max_size=3), scalars, max_size=3), min_size=1, max_size=5), st.data())
def test_a_cut_file_gives_what_was_whole(scratch: Path, items: list[Any], data: st.DataObject) -> None:
    text = json.dumps(items)
    cut = data.draw(st.integers(1, len(text) - 1))
    with stream_of(scratch, text[:cut]) as stream:
        found: list[Any] = []
        with pytest.raises(Truncated):
            found.extend(stream.items())
    assert found == items[: len(found)]
    assert len(json.dumps(items[: len(found) + 1])) > cut - 1


@pytest.mark.parametrize(
    "text", ['{"a": x}', '{"a" 1}', "[1, 2, 3 4]", '{"a": [tru e]}', "{1: 2}", '["a" "b"]', '[["a" "b', '{"a": {"b" "c']
)
def test_what_is_no_json_is_told(scratch: Path, text: str) -> None:
    with stream_of(scratch, text + " " * 50) as stream, pytest.raises(DataError, match="not JSON") as caught:
        walked(stream)
    assert not isinstance(caught.value, Truncated)


def test_a_cut_export_keeps_its_turns_and_tells(tmp_path: Path) -> None:
    whole = (FIXTURES / "telegram/one_chat.input.json").read_text(encoding="utf-8")
    path = tmp_path / "result.json"
    path.write_text(
        whole[: whole.index('"Deleted') if '"Deleted' in whole else whole.index('"gone"') + 3], encoding="utf-8"
    )
    tally = Tally()
    (conversation,) = read(path, tally)
    assert [turn.text for turn in conversation.turns] == ["Who brings the oars?", "See https://example.org/oars there"]
    assert "the file ends inside a value" in tally.unread[0].reason
