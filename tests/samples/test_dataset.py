"""From files to rows: which style is taken and why, what is held out, and what is reported."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from conftest import make_tokenizer
from games import told
from wolf_chatbox.config import TrainConfig
from wolf_chatbox.conversation import Conversation, Turn, write_conversations
from wolf_chatbox.errors import DataError, Setting, StyleError
from wolf_chatbox.samples.dataset import prepare


def test_a_style_that_does_not_fit_gives_way_and_says_why(script: Path) -> None:
    dataset = prepare(TrainConfig(data=(str(script),)), make_tokenizer(), 128, style="chat")
    assert dataset.renderer.style.name == "named"
    assert dataset.style_reason == "no speaker is the assistant"
    persona = dataset.speakers.most_common(1)[0][0]
    dataset = prepare(TrainConfig(data=(str(script),), persona=persona), make_tokenizer(), 128, style="chat")
    assert dataset.renderer.style.name == "named"
    assert dataset.style_reason == "the base model has no chat template"


def test_a_style_that_is_asked_for_does_not_give_way(script: Path) -> None:
    config = TrainConfig(data=(str(script),), style="chat")
    with pytest.raises(StyleError) as raised:
        prepare(config, make_tokenizer(), 128)
    assert raised.value.reason == "no speaker is the assistant"
    assert str(raised.value) == "style chat: no speaker is the assistant. Pass --persona NAME, or use --style named."
    assert pickle.loads(pickle.dumps(raised.value)).reason == raised.value.reason


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ({"persona": "Ann"}, "the training split has no turns by Ann"),
        ({"view": "player:FOX"}, "the training split has no turns by players with the role FOX"),
    ],
)
def test_a_training_split_without_learnt_turns_is_refused(
    settings: dict[str, Any], missing: str, tmp_path: Path
) -> None:
    talks = [Conversation((Turn("Bob", "Hi."), Turn("Cy", "Hello.")), "a"), Conversation((Turn("Ann", "Hi."),), "b")]
    path = tmp_path / "data.jsonl"
    with path.open("w", encoding="utf-8") as file:
        write_conversations([told()] if "view" in settings else talks, file)
    held_out = {} if "view" in settings else {"held_out_group": "b"}
    with pytest.raises(DataError) as raised:
        prepare(TrainConfig(data=(str(path),), **settings, **held_out), make_tokenizer(), 256)
    assert missing in str(raised.value)
    assert str(raised.value).endswith("Add data, or lower --validation-share.")
    assert Setting("validation_share") in raised.value.args, "each command line has its own flag for it"
