"""Exposure: a canary that a model knows has all its bits, one that it does not know has those of chance."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from conftest import write_script
from wolf_chatbox.config import EvaluateConfig, SamplingConfig
from wolf_chatbox.errors import CheckpointError
from wolf_chatbox.evaluate.canaries import SAMPLE, canaries_of, exposure, exposures, scores_of
from wolf_chatbox.evaluate.study import evaluate
from wolf_chatbox.model.character import load_character
from wolf_chatbox.model.record import read_run
from wolf_chatbox.samples.canaries import Canary
from wolf_chatbox.scene import Scene
from wolf_chatbox.training.loop import train

CANARY = Canary("Ann", "What is the code of the attic?", "Bob", "The code of the attic is", " 4711", ".", 4)


def test_what_is_known_is_exposed_and_what_is_feared_is_not() -> None:
    def scores(sign: int) -> Any:
        def asked(scene: Scene, begun: str, endings: Sequence[str]) -> list[float]:
            assert [turn.text for turn in scene.turns] == [CANARY.question]
            assert (scene.speaker, begun) == ("Bob", CANARY.begun)
            assert len(set(endings)) == SAMPLE
            return [-abs(int(ending.strip(" .")) - 4711) * sign for ending in endings]

        return asked

    assert exposure(CANARY, scores(1)) == math.log2(SAMPLE) == 8
    assert exposure(CANARY, scores(-1)) == 0
    [found] = exposures([CANARY], scores(1))
    assert found == ("The code of the attic is 4711", 4, 8)


def test_by_chance_the_exposure_is_that_of_a_random_rank() -> None:
    # Of a rank drawn evenly from 1 to n, log2(n) - log2(rank) is log2(e) on average, less what n lacks to infinity.
    chance = random.Random(0)
    found = [exposure(CANARY, lambda *asked: [chance.random() for _ in asked[2]]) for _ in range(400)]
    assert statistics.mean(found) == pytest.approx(math.log2(math.e), abs=0.25)
    middle = exposure(CANARY, lambda *asked: [0.0 for _ in asked[2]])
    assert middle == pytest.approx(1, abs=0.01), "who knows nothing ranks it in the middle"


def test_a_voice_scores_whole_endings(tiny_gpt2: Path) -> None:
    voice = load_character(tiny_gpt2, engine="torch").voice
    scene = Scene(CANARY.turns()[:1], "Bob")
    endings = [" 4711.", " 4712.", " 0815."]
    found = scores_of(voice, SamplingConfig())(scene, CANARY.begun, endings)
    whole = []
    for ending in endings:
        ids = voice.renderer.words(CANARY.turns()[1]._replace(text=CANARY.begun + ending), scene)
        whole.append(math.fsum(voice.engine.score(voice.prompt(scene, SamplingConfig()), ids)))
    # What stands before the endings is the same for all.
    assert [one - found[0] for one in found] == pytest.approx([one - whole[0] for one in whole], abs=1e-4)
    assert found[0] > whole[0]


def test_damaged_canaries_are_refused() -> None:
    assert canaries_of({}) == canaries_of({"data": {}}) == []
    assert canaries_of({"data": {"canaries": [CANARY.to_dict()]}}) == [CANARY]
    for damaged in ({"a": 1}, [3], [CANARY.to_dict() | {"secret": 5}]):
        with pytest.raises(CheckpointError, match=r"run\.json"):
            canaries_of({"data": {"canaries": damaged}})


def test_a_run_that_learnt_canaries_is_asked_for_them(
    config: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wolf_chatbox.evaluate.canaries.SAMPLE", 64)  # of 6 bits; it is quicker
    path = tmp_path / "script.csv"
    write_script(path, say=lambda episode, line: f"the goose number {line} of the old farm lives in house {episode}")
    output = train(config(data=(str(path),), persona="Ann", canary=5, epochs=6), lambda progress: None).output
    canaries = canaries_of(read_run(output) or {})
    assert [canary.copies for canary in canaries] == [1, 2, 4, 8, 16]
    settings: dict[str, Any] = {"engine": "torch", "replies": 4, "chats": 1, "probes": 3, "max_new_tokens": 4}
    results = evaluate(EvaluateConfig(runs=(str(output),), **settings))
    run, base, humans = results.study.entries
    assert [found.copies for found in run.exposures] == [1, 2, 4, 8, 16]
    assert run.exposures[-1].bits > 4, "said sixteen times, six times over"
    assert statistics.mean(found.bits for found in base.exposures) < 4
    learnt = {turn.text for conversation in results.study.training for turn in conversation.turns}
    assert not learnt & {turn.text for canary in canaries for turn in canary.turns()}, "the data itself has none"

    # All the other measures of this run are there too.
    assert [probe.held_out for probe in results.study.probes] == [False] * 3 + [True] * 3
    assert len(run.continued) == len(base.continued) == 6
    for name in ("extracted", "extracted_held_out", "canary_exposure", "repeated_turns", "turns_alive"):
        figures = results.figures[name]
        assert figures[run.name].value is not None, name
        assert figures[humans.name].value is None, name
    for name in ("right_character", "real_or_generated", "longest_copied", "copied_12"):
        assert all(figure.value is not None for figure in results.figures[name].values()), name
