"""Parquet files and data sets of the Hugging Face hub."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers import read_conversations


def read(path: str | Path, tally: Tally | None = None, **settings: object) -> list[Conversation]:
    return list(read_conversations(path, ReadConfig(**settings), tally))  # type: ignore[arg-type]


def test_a_data_set_of_the_hub_is_streamed(tmp_path: Path) -> None:
    """A folder stands for the hub: the library reads both alike."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = tmp_path / "dialogues"
    folder.mkdir()
    pq.write_table(
        pa.table(
            {"scene_id": [1, 1, 2], "who": ["Ann", "Bob", "Ann"], "said": ["Who brings the oars?", "Not me.", "Pity."]}
        ),
        folder / "train.parquet",
    )
    conversations = read(f"hf:{folder}", speaker_column="who", text_column="said")
    assert conversations == [
        Conversation((Turn("Ann", "Who brings the oars?"), Turn("Bob", "Not me.")), "1"),
        Conversation((Turn("Ann", "Pity."),), "2"),
    ]
    with pytest.raises(DataError, match="no speaker column"):
        read(f"hf:{folder}", speaker_column="whom")
    with pytest.raises(DataError, match="cannot be loaded"):
        read(f"hf:{folder}:nosuchsplit")


@pytest.mark.parametrize(
    ("row", "settings", "turns"),
    [
        (
            {"conversation": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
            {},
            [("user", "a"), ("assistant", "b")],
        ),
        ({"talk": [{"who": "Ann", "text": "a"}]}, {"speaker_column": "who", "text_column": "talk"}, [("Ann", "a")]),
        ({"lines": ["a", "b"]}, {"text_column": "lines"}, [("A", "a"), ("B", "b")]),
        ({"turns": {"speaker": ["Ann", "Bob"], "utterance": ["a", "b"]}}, {}, [("Ann", "a"), ("Bob", "b")]),
        ({"prompt": "a", "messages": [{"role": "user", "content": "c"}]}, {}, [("user", "c")]),
        ({"prompt": "a", "completion": "b"}, {}, [("user", "a"), ("assistant", "b")]),
        ({"who": "Ann", "said": "a"}, {"speaker_column": "who", "text_column": "said"}, [("Ann", "a")]),
    ],
)
def test_columns_of_a_table_are_mapped(
    tmp_path: Path, row: dict[str, object], settings: dict[str, str], turns: list[tuple[str, str]]
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    # datasets takes a folder in whose path "test" stands for a test split, and the test's own folder has it.
    with TemporaryDirectory(prefix="boats") as folder:
        place = Path(folder)
        pq.write_table(pa.Table.from_pylist([row]), place / "train.parquet")
        names = (str(place / "train.parquet"), f"hf:{place}", f"hf:{place}:train", f"hf:{place}:default:train")
        found = [list(read(name, **settings)) for name in names]
    for (conversation,) in found:
        assert [turn[:2] for turn in conversation.turns] == turns
