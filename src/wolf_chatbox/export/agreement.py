"""Does an exported model answer as the original? Greedily, after the same prompts, token by token.

The original draws the first tokens of each reply. Then the exported model is asked at each of these places, after the
original's own tokens, which token is the likeliest: so one difference does not make all that follow differ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wolf_chatbox.conversation import Turn
from wolf_chatbox.errors import CheckpointError
from wolf_chatbox.model.engines.decoder import Decoder, Feed, Logits
from wolf_chatbox.model.speech import Speech
from wolf_chatbox.scene import Scene

TOKENS = 20
"""Of each reply."""
MESSAGES = (
    "Hello.",
    "Who are you?",
    "What did you see last night?",
    "こんにちは。お名前は？",
    "I don't believe you. Tell me the truth!",
)
NEAR = {"f16": 0.2, "q8_0": 1.0, "q4_k": 3.0, "onnx": 0.01}
"""By how much less likely than its best token (in nats) the original may hold another token that an export prefers. At
such places the original is undecided, and rounding decides; anything beyond is another model."""
SHARE = {"f16": 0.9, "q8_0": 0.7, "q4_k": 0.4, "onnx": 0.9}
"""The share of tokens that must be the same, for the same reason. Tiny models are often undecided."""

Likeliest = Callable[[Sequence[int], Sequence[int]], Sequence[int]]
"""An exported model: the likeliest token at each place of a reply, after a prompt and the reply's tokens before it; END
where it would stop without one."""
END = -1


@dataclass(frozen=True)
class Agreement:
    """How many tokens were the same, of how many, after how many prompts; and the largest difference, in nats."""

    same: int
    tokens: int
    prompts: int
    farthest: float

    def __str__(self) -> str:
        figure = f"{self.same} of {self.tokens} tokens of {self.prompts} prompts agree (greedy)"
        if self.same == self.tokens:
            return figure
        return f"{figure}; where they differ, the original is undecided (by at most {self.farthest:.2f} nats)"


def prompts_of(speech: Speech, context: int) -> list[list[int]]:
    """The ids of prompts in which somebody says one of MESSAGES to the persona."""
    room = max(1, context - TOKENS - 1)
    scenes = [Scene((Turn(speech.user, message),), speaker=speech.persona) for message in MESSAGES]
    return [speech.renderer.prompt(scene, room) or [speech.renderer.end_id] for scene in scenes]


def compare(
    original: Decoder, prompts: Sequence[Sequence[int]], ends: Sequence[int], likeliest: Likeliest
) -> Agreement:
    """Ask both models for the first tokens after each prompt; a reply of the original ends with an id of `ends`."""
    same = tokens = 0
    farthest = 0.0
    for prompt in prompts:
        reply, scores = _reply(original, prompt, ends)
        for best, other, row in zip(reply, likeliest(prompt, reply), scores, strict=True):
            stops = best in ends and other in (END, *ends)
            same += best == other or stops
            if best != other and not stops:
                likely = max(float(row[end]) for end in ends) if other == END else float(row[other])
                farthest = max(farthest, float(row[best]) - likely)
        tokens += len(reply)
    return Agreement(same, tokens, len(prompts), farthest)


def _reply(original: Decoder, prompt: Sequence[int], ends: Sequence[int]) -> tuple[list[int], list[Logits]]:
    """The likeliest tokens after a prompt, the last of which may be an end, and the logits of each."""
    reply, scores = list[int](), list[Logits]()
    new, at = list(prompt), 0
    while len(reply) < TOKENS and not (reply and reply[-1] in ends):
        scores.append(original.read([Feed(0, new, at)])[-1])
        at += len(new)
        new = [int(np.argmax(scores[-1]))]
        reply += new
    return reply, scores


def check(place: Path, found: Agreement, kind: str) -> Agreement:
    """Raise CheckpointError when an exported model is another than the original."""
    if found.farthest > NEAR[kind] or found.same < SHARE[kind] * found.tokens:
        raise CheckpointError(
            f"{place}: answers otherwise than the model it was made of ({found.same} of {found.tokens} tokens agree, "
            f"one is {found.farthest:.2f} nats less likely). It was removed; please report this."
        )
    return found
