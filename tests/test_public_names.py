"""What others may rely on: the public names, their fields, the verbs of the command line and its exit codes."""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import Any

import pytest

import wolf_chatbox
from conftest import ROOT
from wolf_chatbox.cli import READ_IN_PART, app, run
from wolf_chatbox.errors import ConfigError, DataError

NAMES = {
    "ChatConfig": "model persona user turns seed trust_remote_code allow_base max_new_tokens no_repeat_phrase "
    "no_repeat_ngram_size top_k top_p temperature",
    "ChatSession": None,
    "CleanConfig": "join_within duplicates repair languages scrub scrub_names pseudonyms",
    "Conversation": "turns group game",
    "ReadConfig": "format encoding speaker_column text_column group_column cut_at_jump session_gap also_keep strict",
    "SamplingConfig": "max_new_tokens no_repeat_phrase no_repeat_ngram_size top_k top_p temperature",
    "TrainConfig": "data model output persona view style epochs batch_size accumulate max_tokens lr schedule "
    "warmup_ratio validation_share split held_out_speaker held_out_group optimizer weight_decay max_grad_norm dropout "
    "precision lora_rank freeze_embeddings gradient_checkpointing compile log_every eval_every patience save_every "
    "keep report_to dry_run seed resume overwrite trust_remote_code allow_base read clean sampling",
    "Turn": "speaker text time channel heard",
    "WolfChatboxError": None,
    "clean": None,
    "read_conversations": None,
    "train": None,
}
"""The public names, and the fields that each has at least."""
CALLS = {"read_conversations": "paths config", "train": "config tell", "clean": "conversations config"}
"""The parameters that public functions begin with."""
VERBS = ["train", "sweep", "merge", "chat", "serve", "export"]
VERBS += ["data inspect", "data convert", "data list", "data get", "data werewolf", "data preferences"]
VERBS += ["data formats"]
VERBS += ["models list", "models pull"]


def test_the_public_names() -> None:
    assert wolf_chatbox.__all__ == sorted(NAMES)
    assert all(getattr(wolf_chatbox, name) for name in NAMES)
    assert (ROOT / "src/wolf_chatbox/py.typed").exists()
    with pytest.raises(AttributeError, match="bogus"):
        _ = wolf_chatbox.bogus


@pytest.mark.parametrize("name", [name for name, listed in NAMES.items() if listed])
def test_the_fields(name: str) -> None:
    kind = getattr(wolf_chatbox, name)
    has = list(getattr(kind, "_fields", ())) or [field.name for field in fields(kind)]
    assert [field for field in (NAMES[name] or "").split() if field not in has] == []


@pytest.mark.parametrize("name", CALLS)
def test_the_parameters(name: str) -> None:
    listed = CALLS[name].split()
    assert list(inspect.signature(getattr(wolf_chatbox, name)).parameters)[: len(listed)] == listed


def test_python_may_give_one_file_and_strings() -> None:
    assert wolf_chatbox.TrainConfig(data="one.csv").data == ("one.csv",)
    assert wolf_chatbox.TrainConfig(data=("one.csv",), output="there").output.name == "there"  # type: ignore[arg-type]


def test_the_verbs() -> None:
    for verb in VERBS:
        command = app
        for word in verb.split():
            command = command[word]
        assert command.default_command, verb


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (None, 0),
        (DataError("x: y."), 1),
        (ConfigError("lr", 0, "is zero."), 2),
        (READ_IN_PART, 3),
        (KeyboardInterrupt(), 130),
    ],
)
def test_the_exit_codes(outcome: Any, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> Any:
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    assert run(command, {}) == code
    assert READ_IN_PART == 3
