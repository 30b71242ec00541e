"""Choose which weights of a base model are trained, and how the model is kept in memory meanwhile."""

from __future__ import annotations

import warnings

from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from wolf_chatbox.config import TrainConfig
from wolf_chatbox.errors import ModelError, Setting
from wolf_chatbox.model.compat import checkpoint_activations

REFERENCE = 0.19
"""The root mean square of SmolLM2-135M's matrices, for which a learning rate of 1e-4 is right (docs/benchmarks.md)."""


def adapt(model: PreTrainedModel, config: TrainConfig, name: str) -> None:
    """Make `model` ready to be trained as `config` says.

    LoRA (Hu et al. 2021, https://arxiv.org/abs/2106.09685) on every linear layer but the output, alpha twice the rank.
    Raises ModelError when the model cannot do it.
    """
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = config.dropout
    if config.lora_rank:
        from peft import LoraConfig

        transposed = any(isinstance(module, Conv1D) for module in model.modules())
        lora = LoraConfig(
            r=config.lora_rank,
            lora_alpha=2 * config.lora_rank,
            target_modules="all-linear",
            fan_in_fan_out=transposed,
            task_type="CAUSAL_LM",
        )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model.add_adapter(lora)
        except (ValueError, NotImplementedError) as error:
            reason = " ".join(str(error).split())[:200]
            raise ModelError(
                f"{name}: does not support LoRA ({reason}). Leave out ", Setting("lora_rank"), "."
            ) from error
    if config.freeze_embeddings:
        for module in model.modules():
            if isinstance(module, nn.Embedding):
                module.requires_grad_(False)
    if config.gradient_checkpointing:
        try:
            checkpoint_activations(model)
        except ValueError as error:
            raise ModelError(
                f"{name}: does not support gradient checkpointing. Leave out ", Setting("gradient_checkpointing"), "."
            ) from error
    if config.compile:
        model.base_model.compile(dynamic=True)


def relative_scale(model: PreTrainedModel) -> float:
    """How large a model's weights are beside SmolLM2-135M's: the root mean square of its layers' matrices.

    AdamW moves each weight by about the learning rate, whatever its size, so the rate that suits a model grows with its
    weights (You et al. 2020, https://arxiv.org/abs/1904.00962, scale each layer's step so). 0.18 for gemma-3-270m.
    """
    outer = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
    head = model.get_output_embeddings()  # type: ignore[no-untyped-call]
    outer |= {id(weights) for weights in head.parameters()} if head is not None else set()
    matrices = [each.detach() for each in model.parameters() if each.ndim >= 2 and id(each) not in outer]
    squares = sum(float(matrix.float().square().sum()) for matrix in matrices)
    count = sum(matrix.numel() for matrix in matrices)
    return (squares / count) ** 0.5 / REFERENCE if squares else 1.0
