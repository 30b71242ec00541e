"""Validation: the held-out loss, and replies to held-out scenes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from wolf_chatbox.config import TrainConfig
from wolf_chatbox.errors import ChatError
from wolf_chatbox.model.engines.engine import Engine
from wolf_chatbox.model.engines.torch import TorchDecoder
from wolf_chatbox.model.loss import count_learnt, evaluating
from wolf_chatbox.model.voice import Voice
from wolf_chatbox.samples.packing import Row
from wolf_chatbox.samples.rows import Dataset
from wolf_chatbox.training.passes import Forward
from wolf_chatbox.training.progress import Reply


def mean_loss(forward: Forward, rows: Sequence[Row]) -> float | None:
    """Cross-entropy per learnt token of these rows, in nats; None when no token is learnt.

    Each process computes its share; all must call it.
    """
    learnt = count_learnt(rows)
    if not learnt:
        return None
    summed = torch.zeros((), dtype=torch.float64, device=forward.accelerator.device)
    with torch.no_grad(), evaluating(forward.module):
        for part, weight in forward.share(rows):
            summed += weight * forward(part).double()
    return float(forward.accelerator.reduce(summed)) / learnt


def perplexity(loss: float | None) -> float | None:
    return None if loss is None else math.exp(min(loss, 700.0))


def bits_per_byte(loss: float | None, tokens: float, size: int) -> float | None:
    """The bits that a model needs for a byte of text, from its loss in nats per token; None without text.

    `tokens` are all that are predicted, end tokens among them, and `size` the UTF-8 bytes of the words alone: the same
    text has the same size under every tokenizer, so that models with different ones can be compared.
    """
    return None if loss is None or not size else loss * tokens / math.log(2) / size


def sample_replies(model: Any, dataset: Dataset, config: TrainConfig, autocast: torch.autocast) -> list[Reply]:
    """One reply to each of the dataset's contexts, as a chat would give it, with the same random numbers each time."""
    engine = Engine(TorchDecoder(model), dataset.renderer.tokenizer)
    voice = Voice(engine, dataset.renderer, dataset.speakers, dataset.max_tokens)
    replies = []
    for scene, said in dataset.contexts:
        try:
            reply = voice.answer(scene, config.sampling, config.seed)
        except ChatError:  # a context of one enormous turn is not an example
            continue
        with autocast:
            replies.append(Reply(scene.turns, said, "".join(reply)))
    return replies
