"""The exposure of canaries: how much better than by chance a model knows the secrets that a run's data was given.

Carlini et al. 2019, "The Secret Sharer" (https://arxiv.org/abs/1802.08232): a secret's rank by likelihood among all
that it might be. Here the rank is among a sample of them (their approximation by sampling, no fitted curve), so it goes
up to log2(SAMPLE) = 8 bits. A model that never saw the secret has 1.4 bits on average (log2 e).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.conversation import Turn
from wolf_chatbox.errors import CheckpointError
from wolf_chatbox.evaluate.entries import Exposure
from wolf_chatbox.model.voice import Voice
from wolf_chatbox.samples.canaries import DIGITS, Canary
from wolf_chatbox.scene import Scene

SAMPLE = 256
"""The secret, and others that it might be."""
SCORED = 64
"""Texts that are scored at once."""

Scores = Callable[[Scene, str, Sequence[str]], Sequence[float]]
"""The natural log-probability of each of several endings of one reply to a scene, after how the reply begins."""


def canaries_of(run: Mapping[str, Any]) -> list[Canary]:
    """The canaries that a run learnt, by its run.json; raises CheckpointError when they are damaged."""
    data = run.get("data")
    found = data.get("canaries", []) if isinstance(data, dict) else []
    if not isinstance(found, list):
        raise CheckpointError("run.json: its canaries are damaged. Train the model again, or restore the file.")
    return [Canary.from_dict(one) for one in found]


def exposures(canaries: Sequence[Canary], scores: Scores, seed: int = 0) -> list[Exposure]:
    """The exposure of each canary in bits; `scores` asks a model."""
    return [
        Exposure(f"{canary.begun}{canary.secret}", canary.copies, exposure(canary, scores, seed)) for canary in canaries
    ]


def exposure(canary: Canary, scores: Scores, seed: int = 0) -> float:
    """The exposure of a canary: log2 of the number of secrets, less log2 of its rank; of a tie the middle rank."""
    space = canary.secret[: -len(canary.secret.lstrip())]
    numbers = random.Random(seed).sample(range(10**DIGITS), SAMPLE)
    texts = [f"{space}{number:0{DIGITS}}" for number in numbers]
    others = [text for text in texts if text != canary.secret][: SAMPLE - 1]
    question, _ = canary.turns()
    scene = Scene((question,), speaker=canary.speaker)
    own, *rest = scores(scene, canary.begun, [f"{text}{canary.ends}" for text in (canary.secret, *others)])
    rank = 1 + sum(other > own for other in rest) + sum(other == own for other in rest) / 2
    return math.log2(SAMPLE) - math.log2(rank)


def scores_of(voice: Voice, sampling: SamplingConfig) -> Scores:
    """What a voice expects of several endings of a reply."""

    def scores(scene: Scene, begun: str, endings: Sequence[str]) -> list[float]:
        speaker = scene.speaker or ""
        texts = [voice.renderer.words(Turn(speaker, f"{begun}{ending}"), scene) for ending in endings]
        # A token may reach from the beginning into the ending; what all share is the same for all.
        shared = next((at for at, ids in enumerate(zip(*texts)) if len(set(ids)) > 1), 0)
        prompt = [*voice.prompt(scene, sampling), *texts[0][:shared]]
        found: list[float] = []
        for at in range(0, len(texts), SCORED):
            asked = [(prompt, text[shared:]) for text in texts[at : at + SCORED]]
            found += [math.fsum(one) for one in voice.engine.scores(asked)]
        return found

    return scores
