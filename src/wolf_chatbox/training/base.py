"""The base model of a run, ready to be trained."""

from __future__ import annotations

import torch
from accelerate import Accelerator

from wolf_chatbox.config import TrainConfig
from wolf_chatbox.errors import ConfigError
from wolf_chatbox.model.adaptation import adapt
from wolf_chatbox.model.load import BaseModel, check_finite, context_of, load_model
from wolf_chatbox.training.devices import is_sharded
from wolf_chatbox.training.progress import Listener, Step


def load_base(config: TrainConfig, tell: Listener, accelerator: Accelerator) -> BaseModel:
    """The base model on this process's device, with what training adds to it, such as LoRA."""
    with accelerator.main_process_first():
        base = load_model(
            config.model,
            trust_remote_code=config.trust_remote_code,
            allow_base=config.allow_base,
            tell=lambda text: tell(Step(text, "fetching")),
        )
    check_finite(base.name, base.model)
    context = context_of(base.model.config)
    if config.max_tokens > context:
        raise ConfigError(
            "max_tokens", config.max_tokens, f"is over the context length of {base.name}. Use at most {context}."
        )
    torch.manual_seed(config.seed)
    adapt(base.model, config, base.name)
    if not is_sharded(accelerator):
        base.model.to(accelerator.device)
    return base
