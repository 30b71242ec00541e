"""Folders whose JSON somebody changed: they are used, or refused in one line; nothing ends in a traceback."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

import pytest

from wolf_chatbox.config import SamplingConfig, TrainConfig
from wolf_chatbox.errors import WolfChatboxError
from wolf_chatbox.talk.session import ChatSession
from wolf_chatbox.training.loop import train

VALUES = (None, True, -1, 0, 1.5, 10**9, 10**30, float("nan"), float("inf"), "", "x\x1b]52", [], ["x"], {}, [[[[]]]])
TEXTS = ("", "[", "null", "1", "[" * 100_000, '{"a":' * 100_000, "\udcff", '{"a": 1e999}', '{"a": ' + "9" * 5000 + "}")
JSON = ("run.json", "generation_config.json", "config.json", "tokenizer_config.json", "adapter_config.json")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, tiny_gpt2: Path, script: Path) -> Callable[[int], Path]:
    """A trained model's folder: a full one, or an adapter of this rank."""
    made: dict[int, Path] = {}

    def folder(rank: int) -> Path:
        if rank not in made:
            made[rank] = tmp_path_factory.mktemp("trained") / "model"
            train(settings(script, tiny_gpt2, made[rank], lora_rank=rank))
        return made[rank]

    return folder


def settings(script: Path, model: Path, output: Path, **more: Any) -> TrainConfig:
    short = {"epochs": 1, "max_tokens": 64, "sampling": SamplingConfig(max_new_tokens=2)}
    return TrainConfig(data=(str(script),), model=str(model), output=output, **(short | more))


def places(value: object, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each value in a JSON document, three steps down at most."""
    if above:
        yield above
    if len(above) < 3 and isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*above, key))


def changed(value: Any, place: tuple[Any, ...], *new: object) -> Any:
    """A copy with the value at that place replaced by `new`, or taken out."""
    value = deepcopy(value)
    *above, last = place
    inner = value
    for key in above:
        inner = inner[key]
    if new:
        inner[last] = new[0]
    else:
        del inner[last]
    return value


def tampered(text: str, count: int, seed: int) -> Iterator[str]:
    yield from TEXTS
    value, random = json.loads(text), Random(seed)
    mutants = [(place, *new) for place in places(value) for new in ((), *((other,) for other in VALUES))]
    for place, *new in random.sample(mutants, min(count, len(mutants))):
        yield json.dumps(changed(value, place, *new))


def survives(use: Callable[[], object], what: str) -> bool:
    """Whether it works; raises AssertionError when it ends in anything but one line."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of transformers, on the settings
            use()
    except WolfChatboxError as error:
        text = str(error)
    except Exception as error:
        raise AssertionError(f"a traceback: {what[:2000]}") from error
    else:
        return True
    assert "\n" not in text, what[:2000]
    assert len(text) < 1500, what[:2000]
    return False


def tamper(folder: Path, name: str, count: int, use: Callable[[], object]) -> None:
    path = folder / name
    well = sum(
        survives(use, f"{name}: {text}") for text in written(path, tampered(path.read_text(), count, seed=len(name)))
    )
    assert well < count + len(TEXTS)


def written(path: Path, texts: Iterator[str]) -> Iterator[str]:
    before = path.read_text()
    for text in texts:
        path.write_text(text, encoding="utf-8", errors="surrogateescape")
        yield text
    path.write_text(before)


@pytest.mark.parametrize("name", JSON)
def test_talking_with_a_tampered_folder(trained: Callable[[int], Path], tmp_path: Path, name: str) -> None:
    folder = Path(shutil.copytree(trained(2 if name == "adapter_config.json" else 0), tmp_path / "model"))

    def talk() -> None:
        session = ChatSession.load(folder)
        session.sampling = session.sampling.changed(max_new_tokens=2)
        session.reply("hello")

    assert survives(talk, "as it was made")
    tamper(folder, name, 20, talk)


@pytest.mark.slow
@pytest.mark.parametrize("name", JSON)
def test_training_from_a_tampered_folder(
    trained: Callable[[int], Path], script: Path, tmp_path: Path, name: str
) -> None:
    folder = Path(shutil.copytree(trained(2 if name == "adapter_config.json" else 0), tmp_path / "model"))
    tamper(folder, name, 5, lambda: train(settings(script, folder, tmp_path / "output", overwrite=True)))
