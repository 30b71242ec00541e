"""A causal LM's loss on rows: the summed cross-entropy of the learnt tokens.

Only the learnt positions meet the output layer, a few hundred at a time, recomputed in the backward pass: the logits
(tokens × vocabulary) would otherwise be the largest thing in memory. The idea is that of chunked cross-entropy losses
such as Cut Cross-Entropy (Wijmans et al. 2024, https://arxiv.org/abs/2411.09009).
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel

from wolf_chatbox.packing import Row

CHUNK = 512
"""Learnt positions whose logits are in memory together."""


class Batch(NamedTuple):
    """Rows as tensors, all of shape (rows, longest row)."""

    ids: Tensor
    positions: Tensor
    """Restart at 0 with each sample; the padding is a sample of its own."""
    learn: Tensor
    """True where the token is predicted from those before it."""

    def to(self, device: torch.device) -> Batch:
        return Batch(*(tensor.to(device, non_blocking=True) for tensor in self))


def collate(rows: Sequence[Row], pad_id: int) -> Batch:
    """Rows to tensors, padded on the right to the longest."""
    longest = max(sum(len(sample) for sample in row) for row in rows)
    ids = torch.full((len(rows), longest), pad_id)
    positions = torch.zeros((len(rows), longest), dtype=torch.long)
    learn = torch.zeros((len(rows), longest), dtype=torch.bool)
    for number, row in enumerate(rows):
        at = 0
        for sample in row:
            end = at + len(sample)
            ids[number, at:end] = torch.tensor(sample.ids)
            positions[number, at:end] = torch.arange(len(sample))
            learn[number, at:end] = torch.tensor(sample.learn)
            at = end
        positions[number, at:] = torch.arange(longest - at)
    return Batch(ids, positions, learn)


def count_learnt(rows: Sequence[Row]) -> int:
    return sum(sum(sample.learn) for row in rows for sample in row)


class SummedLoss(nn.Module):
    """The model and its loss as one module, so that a wrapper (autocast, data parallel) sees a single forward."""

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model = model
        self.head_is_plain = _head_is_plain(model)

    def forward(self, batch: Batch) -> Tensor:
        """The cross-entropy in nats, summed over the learnt tokens; a scalar in fp32."""
        targets = batch.learn[:, 1:]
        labels = batch.ids[:, 1:][targets]
        settings = {"input_ids": batch.ids, "position_ids": batch.positions, "use_cache": False}
        if not takes_positions(self.model):
            settings.pop("position_ids")
        if not self.head_is_plain:
            logits = self.model(**settings).logits
            return F.cross_entropy(logits[:, :-1][targets].float(), labels, reduction="sum")
        hidden = self.model.base_model(**settings).last_hidden_state[:, :-1][targets]
        total = hidden.new_zeros((), dtype=torch.float32)
        for start in range(0, len(labels), CHUNK):
            part = hidden[start : start + CHUNK], labels[start : start + CHUNK]
            total = total + checkpoint(self._cross_entropy, *part, use_reentrant=False)
        return cast(Tensor, total)

    def _cross_entropy(self, hidden: Tensor, labels: Tensor) -> Tensor:
        head = self.model.get_output_embeddings()  # type: ignore[no-untyped-call]
        loss: Tensor = F.cross_entropy(head(hidden).float(), labels, reduction="sum")
        return loss


def takes_positions(model: PreTrainedModel) -> bool:
    return "position_ids" in inspect.signature(model.forward).parameters


def packs_cleanly(model: PreTrainedModel) -> bool:
    """True when two samples in one row give what each gives alone: the model heeds the restarting positions."""
    if not takes_positions(model):
        return False
    first, second = [3, 1, 4, 1, 5], [2, 7, 1]
    ids = torch.tensor([first + second], device=model.device) % model.config.get_text_config().vocab_size
    positions = torch.tensor([[*range(5), *range(3)]], device=model.device)
    with torch.no_grad(), evaluating(model):
        together = model(input_ids=ids, position_ids=positions, use_cache=False).logits[:, 5:]
        alone = model(input_ids=ids[:, 5:], use_cache=False).logits
    return torch.allclose(together.float(), alone.float(), rtol=1e-2, atol=1e-2)


def _head_is_plain(model: PreTrainedModel) -> bool:
    """True when the logits are the output layer on the base model's last states and nothing else (no scaling, no cap)."""
    head = model.get_output_embeddings()  # type: ignore[no-untyped-call]
    if head is None or model.base_model is model:
        return False
    ids = torch.tensor([[3, 1, 4, 1, 5]], device=model.device) % model.config.get_text_config().vocab_size
    with torch.no_grad(), evaluating(model):
        states = model.base_model(input_ids=ids, use_cache=False)
        if getattr(states, "last_hidden_state", None) is None:
            return False
        logits = model(input_ids=ids, use_cache=False).logits
        return torch.allclose(head(states.last_hidden_state).float(), logits.float(), rtol=1e-3, atol=1e-3)


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Dropout off inside; afterwards the model is as it was."""
    was = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was)
