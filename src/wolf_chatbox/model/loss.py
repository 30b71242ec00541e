"""A causal LM's loss on rows: the summed cross-entropy of the learnt tokens.

Only the learnt positions meet the output layer, a few hundred at a time, and their gradients are made on the spot: the
logits (tokens × vocabulary) would otherwise be the largest thing in memory, or have to be computed twice. The idea is
that of fused linear cross-entropy losses such as Liger's (Hsu et al. 2024, https://arxiv.org/abs/2410.10989).
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import PreTrainedModel

from wolf_chatbox.model.attention import PACKED, Packing, describe
from wolf_chatbox.model.compat import attention_of, layers_of
from wolf_chatbox.samples.packing import Row

CHUNK = 512
"""Learnt positions whose logits are in memory together."""

MULTIPLE = 64
"""Packed tokens are padded to a multiple of this: a matrix product of an odd size takes longer, and each new size must
be prepared."""

Apart = Literal["packed", "masked", "alone"]
"""How samples of one row are kept apart: by our attention, by the model's own mask, or by one sample a row."""


class Batch(NamedTuple):
    """Rows as tensors of shape (rows, longest row); or one after the other, of shape (1, tokens), with a packing."""

    ids: Tensor
    positions: Tensor
    """Restart at 0 with each sample; the padding is a sample of its own."""
    learn: Tensor
    """True where the token is predicted from those before it."""
    packing: Packing | None = None
    weights: Tensor | None = None
    """How much each token counts where it is learnt; None where all count the same."""

    def to(self, device: torch.device) -> Batch:
        ids, positions, learn = (
            tensor.to(device, non_blocking=True) for tensor in (self.ids, self.positions, self.learn)
        )
        weights = None if self.weights is None else self.weights.to(device, non_blocking=True)
        return Batch(ids, positions, learn, self.packing.to(device) if self.packing else None, weights)


def collate(rows: Sequence[Row], pad_id: int, *, packed: bool = False, spans: bool = True) -> Batch:
    """Rows to tensors, padded on the right to the longest; or `packed`, all their samples in one row.

    `spans` are the masks of a packing, for devices whose kernels read them.
    """
    if packed:
        rows = [tuple(sample for row in rows for sample in row)]
    lengths = [[len(sample) for sample in row] for row in rows]
    longest = max(map(sum, lengths))
    if packed:
        longest = -(-longest // MULTIPLE) * MULTIPLE
    ids = torch.full((len(rows), longest), pad_id)
    positions = torch.zeros((len(rows), longest), dtype=torch.long)
    weights = torch.zeros((len(rows), longest))
    for number, row in enumerate(rows):
        at = 0
        for sample in row:
            end = at + len(sample)
            ids[number, at:end] = torch.tensor(sample.ids)
            positions[number, at:end] = torch.arange(len(sample))
            weights[number, at:end] = torch.tensor(sample.learn, dtype=torch.float)
            at = end
        positions[number, at:] = torch.arange(longest - at)
    lengths[0][-1] += longest - sum(lengths[0])  # the padding follows the last sample, which does not see it
    learn = weights != 0
    packing = describe(lengths[0], spans=spans) if packed else None
    return Batch(ids, positions, learn, packing, None if bool((weights == learn).all()) else weights)


def count_learnt(rows: Sequence[Row]) -> float:
    """The learnt tokens of rows; what is learnt at a smaller weight counts as that part of a token."""
    return math.fsum(weight for row in rows for sample in row for weight in sample.learn)


class SummedLoss(nn.Module):
    """The model and its loss as one module, so that a wrapper (autocast, data parallel) sees a single forward.

    While it trains, `smoothing` of each target's probability is spread over the vocabulary (Szegedy et al. 2016,
    https://arxiv.org/abs/1512.00567), and `noise` is added to the embeddings, see `_noisy`.
    """

    def __init__(self, model: PreTrainedModel, smoothing: float = 0.0, noise: float = 0.0) -> None:
        super().__init__()
        self.model = model
        self.smoothing, self.noise = smoothing, noise
        self.head_is_plain = _head_is_plain(model)
        self.apart = choose_apart(model)
        if self.apart == "packed":
            model.set_attn_implementation(PACKED)
        self._no_split_modules = layers_of(model)  # accelerate's FSDP looks for it here

    def collate(self, rows: Sequence[Row], pad_id: int) -> Batch:
        """Rows as `forward` takes them."""
        return collate(rows, pad_id, packed=self.apart == "packed", spans=self.model.device.type != "cuda")

    def count(self, rows: Sequence[Row]) -> float:
        """What the summed loss of these rows is divided by: their learnt tokens."""
        return count_learnt(rows)

    def inputs(self, batch: Batch) -> dict[str, Any]:
        """A batch as the model takes it."""
        read = {"inputs_embeds": self._noisy(batch)} if self.noise and self.training else {"input_ids": batch.ids}
        settings: dict[str, Any] = read | {"position_ids": batch.positions, "use_cache": False}
        if self.apart == "packed":
            if batch.packing is None:
                raise ValueError(
                    "this model attends by the packing of a batch, and it has none; make it by `collate` of this module"
                )
            settings["packing"] = batch.packing
        if not takes_positions(self.model):
            settings.pop("position_ids")
        return settings

    def forward(self, batch: Batch) -> Tensor:
        """The cross-entropy in nats, summed over the learnt tokens, each times its weight; a scalar in fp32."""
        targets = batch.learn[:, 1:]
        labels = batch.ids[:, 1:][targets]
        weights = None if batch.weights is None else batch.weights[:, 1:][targets]
        smoothing = self.smoothing if self.training else 0.0
        settings = self.inputs(batch)
        if not self.head_is_plain:
            logits = self.model(**settings).logits
            return _cross_entropy(logits[:, :-1][targets], labels, weights, smoothing)
        hidden = self.model.base_model(**settings).last_hidden_state[:, :-1][targets]
        head: Any = self.model.get_output_embeddings()  # type: ignore[no-untyped-call]
        device = hidden.device.type
        # fp16 gradients need the scaling of the loss, which comes after they would be made here; autocast knows both.
        if torch.is_autocast_enabled(device) and torch.get_autocast_dtype(device) == torch.float16:
            return _cross_entropy(head(hidden), labels, weights, smoothing)
        if torch.is_autocast_enabled(device):
            hidden = hidden.to(torch.get_autocast_dtype(device))
        size = -(-len(labels) // MULTIPLE) * MULTIPLE
        hidden = F.pad(hidden, (0, 0, 0, size - len(labels)))
        fused: Any = _LinearCrossEntropy
        learning = torch.is_grad_enabled()
        return cast(Tensor, fused.apply(hidden, head.weight, head.bias, labels, learning, weights, smoothing))

    def _noisy(self, batch: Batch) -> Tensor:
        """The embeddings with uniform noise of up to noise / √(tokens of the sample × width).

        NEFTune (Jain et al. 2023, https://arxiv.org/abs/2310.05914); the paper's `alpha` is `noise`.
        """
        embeddings = self.model.get_input_embeddings()(batch.ids)
        begins = (batch.positions == 0).flatten().cumsum(0) - 1
        lengths = begins.bincount()[begins].view_as(batch.positions)
        most = self.noise * (lengths * embeddings.shape[-1]).rsqrt()[..., None]
        return cast(Tensor, embeddings + most * (2 * torch.rand_like(embeddings) - 1))


def _cross_entropy(logits: Tensor, labels: Tensor, weights: Tensor | None, smoothing: float) -> Tensor:
    if weights is None:
        return F.cross_entropy(logits.float(), labels, reduction="sum", label_smoothing=smoothing)
    losses = F.cross_entropy(logits.float(), labels, reduction="none", label_smoothing=smoothing)
    return (losses * weights).sum()


class _LinearCrossEntropy(torch.autograd.Function):
    """Output layer and summed cross-entropy, chunk by chunk, with the gradients made in the forward pass.

    States beyond the labels are padding.
    """

    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        labels: Tensor,
        learning: bool,
        weights: Tensor | None,
        smoothing: float,
    ) -> Tensor:
        matrix = weight.to(hidden.dtype)
        total = hidden.new_zeros((), dtype=torch.float32)
        of_hidden = torch.empty_like(hidden) if learning else None
        of_weight = of_bias = None
        # Of one size whatever the number of labels: memory of ever new sizes would leave ever new gaps.
        rough, exact = (matrix.new_empty(CHUNK, len(matrix), dtype=dtype) for dtype in (matrix.dtype, torch.float32))
        for start in range(0, len(hidden), CHUNK):
            states, wanted = hidden[start : start + CHUNK], labels[start : start + CHUNK, None]
            products, logits = rough[: len(states)], exact[: len(states)]
            logits.copy_(torch.mm(states, matrix.t(), out=products))
            if bias is not None:
                logits += bias
            # In place: passes over the logits are what takes the time here, after the products.
            logits -= logits.amax(-1, keepdim=True)
            given = logits[: len(wanted)].gather(1, wanted)
            if smoothing:
                given.lerp_(logits[: len(wanted)].mean(-1, keepdim=True), smoothing)
            sums = logits.exp_().sum(-1, keepdim=True)
            whole = sums[: len(wanted)].log()
            counts = None if weights is None else weights[start : start + CHUNK, None]
            total -= given.sum() if counts is None else (given * counts).sum()
            total += whole.sum() if counts is None else (whole * counts).sum()
            if of_hidden is None:
                continue
            # The gradient of the logits: what the model gave each word, less one for the word that came.
            logits.mul_(sums.reciprocal_()).scatter_add_(1, wanted, torch.full_like(sums, smoothing - 1.0))
            if smoothing:
                logits -= smoothing / len(matrix)
            if counts is not None:
                logits[: len(wanted)] *= counts
            logits[len(wanted) :] = 0
            if bias is not None and ctx.needs_input_grad[2]:
                of_bias = logits.sum(0) if of_bias is None else of_bias + logits.sum(0)
            error = products.copy_(logits)
            of_hidden[start : start + CHUNK] = error @ matrix
            if ctx.needs_input_grad[1]:
                part = error.t() @ states
                of_weight = part.float() if of_weight is None else of_weight.add_(part)
        ctx.gradients = of_hidden, of_weight, of_bias
        return total

    @staticmethod
    def backward(ctx: Any, *scales: Tensor) -> tuple[Tensor | None, ...]:
        # In place: they were made for this one backward pass.
        of_hidden, of_weight, of_bias = (
            gradient if gradient is None else gradient.mul_(scales[0]) for gradient in ctx.gradients
        )
        ctx.gradients = None  # and their memory is wanted
        return of_hidden, of_weight, of_bias, None, None, None, None


def takes_positions(model: PreTrainedModel) -> bool:
    return "position_ids" in inspect.signature(model.forward).parameters


def choose_apart(model: PreTrainedModel) -> Apart:
    """Choose the fastest way in which two samples in one row give what each gives alone; it is tried, not assumed.

    The model is left as it was.
    """
    if not takes_positions(model):
        return "alone"
    first, second = [3, 1, 4, 1, 5], [2, 7, 1]
    ids = torch.tensor([first + second], device=model.device) % model.config.get_text_config().vocab_size
    settings: dict[str, Any] = {
        "input_ids": ids,
        "position_ids": torch.tensor([[*range(5), *range(3)]], device=model.device),
        "use_cache": False,
    }
    # The kernel for CUDA does not compute in fp32.
    half = model.device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    rounding = 2e-2 if half else 1e-3

    def is_apart(**more: Any) -> bool:
        together = model(**settings, **more).logits[:, 5:].float()
        return bool((together - alone).norm() <= rounding * alone.norm())

    with torch.no_grad(), evaluating(model), torch.autocast(model.device.type, torch.bfloat16, enabled=half):
        alone = model(input_ids=ids[:, 5:], use_cache=False).logits.float()
        usual = attention_of(model)
        try:
            model.set_attn_implementation(PACKED)
            if is_apart(packing=describe([5, 3], spans=model.device.type != "cuda").to(model.device)):
                return "packed"
        except (AttributeError, TypeError, ValueError, RuntimeError):
            pass  # a model or a kernel that does not know it, or a PyTorch without that kernel
        finally:
            model.set_attn_implementation(usual)
        return "masked" if is_apart() else "alone"


def _head_is_plain(model: PreTrainedModel) -> bool:
    """True when the logits are a linear layer on the base model's last states and nothing else (no scaling, no cap)."""
    head = model.get_output_embeddings()  # type: ignore[no-untyped-call]
    if type(head) is not nn.Linear or model.base_model is model:
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
