"""The optimizer and the learning rate."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn
from transformers import get_scheduler

from wolf_chatbox.config import TrainConfig


def fused_adamw(model: nn.Module, lr: float, weight_decay: float) -> torch.optim.AdamW:
    """AdamW (Loshchilov & Hutter 2019, https://arxiv.org/abs/1711.05101); biases and norms do not decay."""
    matrices = [each for each in model.parameters() if each.requires_grad and each.ndim >= 2]
    vectors = [each for each in model.parameters() if each.requires_grad and each.ndim < 2]
    groups = [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=lr, fused=True)


def make_schedule(config: TrainConfig, optimizer: torch.optim.Optimizer, updates: int) -> Any:
    """The learning-rate schedule; what some schedules need beyond the flags gets the value customary for them."""
    extra: dict[str, dict[str, Any]] = {
        "cosine_with_min_lr": {"min_lr_rate": 0.1},
        "cosine_warmup_with_min_lr": {"min_lr_rate": 0.1},
        "warmup_stable_decay": {"num_decay_steps": max(1, updates // 5)},
        "reduce_lr_on_plateau": {"patience": 0, "factor": 0.5},
        "greedy": {"max_lr": config.lr},
    }
    warmup = math.ceil(config.warmup_ratio * updates)
    return get_scheduler(
        config.schedule, optimizer, num_warmup_steps=warmup, num_training_steps=updates, scheduler_specific_kwargs=extra.get(config.schedule)
    )


def step_schedule(schedule: Any, loss: float) -> None:
    """After an update: most schedules go by the count, greedy by the loss; the plateau waits for an evaluation."""
    if isinstance(schedule, torch.optim.lr_scheduler.LRScheduler) and not isinstance(schedule, torch.optim.lr_scheduler.ReduceLROnPlateau):
        schedule.step()
    elif type(schedule).__name__ == "GreedyLR":
        schedule.step(loss)
