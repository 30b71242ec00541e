"""The optimizer and the learning rate."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm
from torch.optim.lr_scheduler import ReduceLROnPlateau
from transformers import get_scheduler
from transformers.optimization import GreedyLR

from wolf_chatbox.config import TrainConfig
from wolf_chatbox.errors import ConfigError


def make_optimizer(config: TrainConfig, lr: float, model: nn.Module) -> torch.optim.Optimizer:
    """The optimizer of the learnt parameters; biases and norms have no weight decay.

    AdamW (Loshchilov & Hutter 2019, https://arxiv.org/abs/1711.05101), Adafactor (Shazeer & Stern 2018,
    https://arxiv.org/abs/1804.04235), or AdamW with 8-bit moments (Dettmers et al. 2022,
    https://arxiv.org/abs/2110.02861). Raises ConfigError when this machine cannot run it.
    """
    learnt = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [matrix for matrix in learnt if matrix.ndim >= 2], "weight_decay": config.weight_decay},
        {"params": [vector for vector in learnt if vector.ndim < 2], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if config.optimizer == "adafactor":
        return torch.optim.Adafactor(groups, lr=lr)
    if config.optimizer == "adamw8bit":
        if not torch.cuda.is_available():
            raise ConfigError(
                "optimizer", config.optimizer, "needs a CUDA device; this machine has none. Use adamw or adafactor."
            )
        try:
            from bitsandbytes.optim import AdamW8bit
        except ImportError as error:
            raise ConfigError("optimizer", config.optimizer, "needs bitsandbytes: pip install bitsandbytes") from error
        optimizer: torch.optim.Optimizer = AdamW8bit(groups, lr=lr)
        return optimizer
    return torch.optim.AdamW(groups, lr=lr, fused=True)


def clip(model: nn.Module, most: float) -> float:
    """Scale the gradients down to a total norm of `most`, unless that is 0; returns the norm before."""
    learnt = [parameter for parameter in model.parameters() if parameter.grad is not None]
    norm: Any = get_total_norm([parameter.grad for parameter in learnt if parameter.grad is not None])
    total: Tensor = norm.full_tensor() if hasattr(norm, "full_tensor") else norm  # of gradients that FSDP shards
    size = float(total)
    if most and size > most:
        clip_grads_with_norm_(learnt, most, total)
    return size


def make_schedule(config: TrainConfig, lr: float, optimizer: torch.optim.Optimizer, updates: int) -> Any:
    """The learning-rate schedule; parameters that have no setting of their own get their usual values."""
    extra: dict[str, dict[str, Any]] = {
        "cosine_with_min_lr": {"min_lr_rate": 0.1},
        "cosine_warmup_with_min_lr": {"min_lr_rate": 0.1},
        "warmup_stable_decay": {"num_decay_steps": max(1, updates // 5)},
        "reduce_lr_on_plateau": {"patience": 0, "factor": 0.5},
        "greedy": {"max_lr": lr},
    }
    warmup = math.ceil(config.warmup_ratio * updates)
    return get_scheduler(
        config.schedule,
        optimizer,
        num_warmup_steps=warmup,
        num_training_steps=updates,
        scheduler_specific_kwargs=extra.get(config.schedule),
    )


def step_schedule(schedule: Any, loss: float) -> None:
    """Advance the schedule after an update: most count updates, greedy takes the loss, plateau an evaluation's loss."""
    if isinstance(schedule, GreedyLR):
        schedule.step(loss)
    elif not isinstance(schedule, ReduceLROnPlateau):
        schedule.step()
