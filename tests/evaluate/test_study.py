"""Evaluations of tiny models: from the command to its table."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wolf_chatbox.cli import app, run
from wolf_chatbox.config import EvaluateConfig, SamplingConfig
from wolf_chatbox.errors import ConfigError, DataError
from wolf_chatbox.evaluate import observe
from wolf_chatbox.evaluate.contestants import names_of
from wolf_chatbox.evaluate.held_out import exchanges
from wolf_chatbox.evaluate.study import evaluate
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.model.character import load_character
from wolf_chatbox.training.loop import train

Train = Callable[..., Path]


@pytest.fixture
def trained(config: Any) -> Train:
    def make(**changes: Any) -> Path:
        return train(config(**{"persona": "Ann"} | changes), lambda progress: None).output

    return make


def asked(*runs: Path, **changes: Any) -> EvaluateConfig:
    settings: dict[str, Any] = {"runs": tuple(map(str, runs)), "engine": "torch", "replies": 6, "chats": 1, "probes": 4}
    return EvaluateConfig(**(settings | {"max_new_tokens": 8} | changes))


def test_runs_base_and_humans_stand_side_by_side(trained: Train, tmp_path: Path) -> None:
    long, short = trained(epochs=6), trained(output=tmp_path / "short", epochs=1, lr=1e-6)
    results = evaluate(asked(long, short))
    assert [entry.name for entry in results.study.entries] == ["model", "short", "base", "humans"]
    bits = {name: figure.value for name, figure in results.figures["bits_per_byte"].items()}
    assert bits["humans"] is None
    assert all(bits[name] is not None for name in ("model", "short", "base"))
    assert bits["model"] < bits["base"]  # type: ignore[operator]
    said = {exchange.said.text for exchange in results.study.exchanges}
    held_out = {text for text in said if "house" in text}
    learnt = {turn.text for conversation in results.study.training for turn in conversation.turns}
    assert held_out
    assert not held_out & learnt
    again = evaluate(asked(long, short))
    assert again.to_dict() == results.to_dict()


def test_what_was_learnt_is_refused(trained: Train) -> None:
    with pytest.raises(DataError, match=r"nothing is held out: of 6 conversations .* 6 by model"):
        evaluate(asked(trained(validation_share=0.0)))


def test_a_folder_that_does_not_say_what_it_learnt_is_refused(trained: Train, tiny_gpt2: Path) -> None:
    folder = trained()
    (folder / "learnt.bin").unlink()
    with pytest.raises(ConfigError, match="does not say what it learnt"):
        evaluate(asked(folder))
    with pytest.raises(ConfigError, match="is a base model"):
        evaluate(asked(tiny_gpt2))


def test_runs_of_two_personas_need_one_to_judge(trained: Train, tmp_path: Path) -> None:
    runs = trained(), trained(output=tmp_path / "other", persona="Bob")
    with pytest.raises(ConfigError, match="learnt different ones"):
        evaluate(asked(*runs))
    assert evaluate(asked(*runs, persona="Ann")).study.persona == "Ann"


def test_without_a_persona_everybody_is_asked(trained: Train) -> None:
    study = evaluate(asked(trained(persona=None), probes=0, chats=0)).study
    assert study.persona is None
    assert {exchange.said.speaker for exchange in study.exchanges} == {"Ann", "Bob"}


def test_the_command_prints_its_table(trained: Train, capsys: pytest.CaptureFixture[str]) -> None:
    folder = trained()
    words = ["evaluate", str(folder), "--engine", "torch", "--replies", "4", "--chats", "0", "--probes", "0"]
    assert run(lambda: app.meta(words, exit_on_error=False, print_error=False), {}) == 0
    shown = capsys.readouterr().out
    assert "Bits/byte" in shown
    assert "humans" in shown


@pytest.fixture
def character(trained: Train) -> Any:
    return load_character(trained(), engine="torch", slots=4)


def held_out(character: Any, script: Path) -> list[Any]:
    return exchanges(list(read_conversations((str(script),))), character.voice.renderer, "player", "Ann", 6)


def test_the_fit_is_what_transformers_computes(character: Any, script: Path) -> None:
    import torch

    found = held_out(character, script)
    voice, model = character.voice, character.voice.engine.decoder.model
    for exchange, fitted in zip(found, observe.fitted(voice, found, SamplingConfig())):
        prompt = voice.prompt(exchange.scene, SamplingConfig())
        ids = [*voice.renderer.words(exchange.said, exchange.scene), voice.renderer.end_id]
        with torch.no_grad():
            logits = model(torch.tensor([prompt + ids], device=model.device)).logits[0].float().log_softmax(-1)
        nats = -sum(float(logits[len(prompt) + at - 1, id]) for at, id in enumerate(ids))
        assert fitted.nats == pytest.approx(nats, rel=1e-3)
        assert fitted.tokens == len(ids)
        assert fitted.bytes == len(exchange.said.text)
    assert math.isfinite(fitted.nats)


def test_replies_drawn_together_are_those_drawn_alone(character: Any, script: Path) -> None:
    found, sampling = held_out(character, script), SamplingConfig(max_new_tokens=8)
    together = observe.answers(character.voice, found, sampling, 0, 4)
    assert together == observe.answers(character.voice, found, sampling, 0, 1)
    assert together != observe.answers(character.voice, found, sampling, 1, 4)


def test_a_chat_with_itself_takes_turns(character: Any, script: Path) -> None:
    beginning = held_out(character, script)[0].scene.turns
    [chat] = observe.chats(character.voice, [beginning], ("Ann", "Bob"), 6, SamplingConfig(max_new_tokens=4), 0)
    assert [turn.speaker for turn in chat] == ["Ann", "Bob"] * 3


def test_runs_are_named_by_what_tells_them_apart(tmp_path: Path) -> None:
    assert names_of(["/x/one/model", "/x/two/model"]) == ["one/model", "two/model"]
    assert names_of(["/x/one"]) == ["one"]
    assert len(set(names_of(["/x/one", "/x/one"]))) == 2
