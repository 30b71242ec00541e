"""An average of the weights over the updates, to be evaluated and kept in their place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


class Average:
    """The exponential moving average of a module's learnt weights: a weight counts `decay` of the one an update later.

    The weights before the first update do not count: the average is divided by the sum of what counts, as Adam's are
    (Kingma & Ba 2015, https://arxiv.org/abs/1412.6980). A `decay` of 0 keeps no average.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.weights = [weight for weight in module.parameters() if decay and weight.requires_grad]
        self.values = [weight.detach().clone() for weight in self.weights]

    @torch.no_grad()
    def add(self, updates: int) -> None:
        """Let the present weights count, which so many updates have made."""
        share = (1 - self.decay) / (1 - self.decay**updates)
        for value, weight in zip(self.values, self.weights):
            value.lerp_(weight, share)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Inside, the module has the average for its weights."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    @torch.no_grad()
    def _exchange(self) -> None:
        for value, weight in zip(self.values, self.weights):
            # In place: a sharded weight must stay the tensor that it is.
            held = weight.clone()
            weight.copy_(value)
            value.copy_(held)
