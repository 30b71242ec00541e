"""A causal LM's loss on choices between two replies: direct preference optimization.

DPO (Rafailov et al. 2023, https://arxiv.org/abs/2305.18290) raises the chosen reply over the rejected one, compared
with what the model gave both before the run. That reference is a number a pair, computed once, so no second model is in
memory. The loss on the chosen reply beside it is that of Pang et al. 2024 (https://arxiv.org/abs/2404.19733).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel

from wolf_chatbox.model import loss
from wolf_chatbox.samples.packing import Row
from wolf_chatbox.samples.pairs import Pair


class PairBatch(NamedTuple):
    """The samples of pairs as tensors, the chosen and the rejected one of each in turn."""

    samples: loss.Batch
    lengths: list[int]
    """The learnt tokens of each sample."""
    references: Tensor
    """Of each pair, as `Pair` has it; shape (pairs,)."""

    def to(self, device: torch.device) -> PairBatch:
        return PairBatch(self.samples.to(device), self.lengths, self.references.to(device))


class PreferenceLoss(loss.SummedLoss):
    """The model and its loss on pairs as one module; the loss is summed over the pairs."""

    def __init__(self, model: PreTrainedModel, beta: float, chosen_weight: float) -> None:
        super().__init__(model)
        self.beta, self.chosen_weight = beta, chosen_weight

    def collate(self, rows: Sequence[Row], pad_id: int) -> Any:
        """Rows of pairs as `forward` takes them."""
        pairs = pairs_of(rows)
        samples = [sample for pair in pairs for sample in pair.parts()]
        # Where samples cannot stand in one row, each gets its own.
        made = super().collate([(sample,) for sample in samples], pad_id)
        references = torch.tensor([pair.reference for pair in pairs])
        return PairBatch(made, [sum(map(bool, sample.learn)) for sample in samples], references)

    def count(self, rows: Sequence[Row]) -> int:
        """What the summed loss of these rows is divided by: their pairs."""
        return len(pairs_of(rows))

    def forward(self, batch: Any, ratios: bool = False) -> Tensor:
        """The loss in nats, summed over the pairs; a scalar in fp32.

        With `ratios` how much likelier each chosen reply is than the rejected one instead: the log, shape (pairs,).
        """
        replies = [tokens.sum() for tokens in torch.split(self._log_probabilities(batch.samples), batch.lengths)]
        chosen, rejected = torch.stack(replies[::2]), torch.stack(replies[1::2])
        if ratios:
            return chosen - rejected
        total = preference_loss(chosen - rejected - batch.references, self.beta).sum()
        if self.chosen_weight:
            total = total - self.chosen_weight * (chosen / chosen.new_tensor(batch.lengths[::2])).sum()
        return total

    def _log_probabilities(self, batch: loss.Batch) -> Tensor:
        """The log-probability of each learnt token, in order; shape (learnt tokens,)."""
        targets = batch.learn[:, 1:]
        labels = batch.ids[:, 1:][targets]
        if not self.head_is_plain:
            return _scores(self.model(**self.inputs(batch)).logits[:, :-1][targets], labels)
        hidden = self.model.base_model(**self.inputs(batch)).last_hidden_state[:, :-1][targets]
        head: Any = self.model.get_output_embeddings()  # type: ignore[no-untyped-call]

        def through_head(states: Tensor, wanted: Tensor) -> Tensor:
            return _scores(head(states), wanted)

        # The logits would be the largest thing in memory: those of a chunk are made again in the backward pass.
        chunks = zip(torch.split(hidden, loss.CHUNK), torch.split(labels, loss.CHUNK))
        return torch.cat([cast(Tensor, checkpoint(through_head, *chunk, use_reentrant=False)) for chunk in chunks])


def preference_loss(margins: Tensor, beta: float) -> Tensor:
    """Equation 7 of DPO for each pair: `margins` is by how much its log-ratio is above the reference, in nats."""
    return -F.logsigmoid(beta * margins)


def pairs_of(rows: Sequence[Row]) -> list[Pair]:
    """The pairs of rows that hold nothing else."""
    return [cast(Pair, pair) for row in rows for pair in row]


def _scores(logits: Tensor, labels: Tensor) -> Tensor:
    return -F.cross_entropy(logits.float(), labels, reduction="none")
