"""The reference engine: a transformers model, token by token with its key-value cache."""

from __future__ import annotations

import inspect
import math
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import (
    LogitsProcessor,
    LogitsProcessorList,
    NoRepeatNGramLogitsProcessor,
    PreTrainedModel,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.errors import ModelError
from wolf_chatbox.model.engines import Loaded
from wolf_chatbox.model.engines.repetition import Repetition
from wolf_chatbox.model.load import context_of, inference_dtype, load_model
from wolf_chatbox.model.loss import evaluating
from wolf_chatbox.samples.tokenizer import Tokenizer
from wolf_chatbox.visible import Tell


def load_torch(folder: Path, *, trust_remote_code: bool, allow_base: bool, tell: Tell) -> Loaded:
    """Load a model's folder onto the GPU if there is one; raises ModelError when it cannot be used."""
    device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    base = load_model(
        str(folder),
        dtype=inference_dtype(device),
        trust_remote_code=trust_remote_code,
        allow_base=allow_base,
        tell=tell,
    )
    engine = TorchEngine(base.model, device, base.tokenizer)
    return Loaded(engine, base.tokenizer, base.model.generation_config.to_dict())


class TorchEngine:
    """Generates with a model, which is moved to `device` if one is given.

    Without the tokenizer there are no words, and `no_repeat_phrase` has no effect.
    """

    def __init__(self, model: PreTrainedModel, device: str | None = None, tokenizer: Tokenizer | None = None) -> None:
        if device is not None:
            torch.nn.Module.to(model, device)
        self.model = model
        self._repetition = Repetition(tokenizer) if tokenizer is not None else None
        self.context = context_of(model.config)
        self._keeps_last = "logits_to_keep" in inspect.signature(model.forward).parameters

    def stream(
        self,
        prompt: Sequence[int],
        sampling: SamplingConfig,
        stop: Collection[int],
        seed: int | None = None,
        begun: int = 0,
    ) -> Iterator[int]:
        """Yield the reply's ids as they are drawn, up to an id of `stop`, which is not yielded.

        The rules against repetition look at the reply alone, to which the last `begun` ids of the prompt belong
        already. Raises ValueError when the prompt is empty or fills the context, ModelError when the logits are NaN or
        infinite.
        """
        if not 0 < len(prompt) < self.context:
            raise ValueError(f"a prompt of {len(prompt)} tokens: it must have 1 to {self.context - 1}")
        device = self.model.device
        random = torch.Generator(device)
        if seed is None:
            random.seed()
        else:
            random.manual_seed(seed)
        shape = self._processors(sampling)
        keep_last = {"logits_to_keep": 1} if self._keeps_last else {}
        ids: Any = torch.tensor([list(prompt)], device=device)
        reply = ids[:, len(prompt) - begun :]
        cache = None
        for _ in range(min(sampling.max_new_tokens, self.context - len(prompt))):
            with torch.inference_mode(), evaluating(self.model):
                output = self.model(input_ids=ids, past_key_values=cache, use_cache=True, **keep_last)
                cache = output.past_key_values
                logits = output.logits[:, -1].float()
                if not math.isfinite(logits.max()):  # one NaN makes the maximum NaN
                    raise ModelError(
                        "the model's logits are NaN or infinite: its weights are damaged. Use another model."
                    )
                scores = shape(reply, logits)
                greedy = sampling.temperature == 0
                ids = (
                    scores.argmax(-1, keepdim=True)
                    if greedy
                    else torch.multinomial(scores.softmax(-1), 1, generator=random)
                )
                reply = torch.cat([reply, ids], dim=-1)
            drawn = int(ids)
            if drawn in stop:
                return
            yield drawn

    def _processors(self, sampling: SamplingConfig) -> LogitsProcessorList:
        """The logits processors, in the order of transformers' generate."""
        shape = LogitsProcessorList()
        if sampling.no_repeat_ngram_size:
            shape.append(NoRepeatNGramLogitsProcessor(sampling.no_repeat_ngram_size))
        if sampling.no_repeat_phrase and self._repetition is not None:
            shape.append(_NoRepetition(self._repetition, sampling.no_repeat_phrase))
        if sampling.temperature:
            if sampling.temperature != 1:
                shape.append(TemperatureLogitsWarper(float(sampling.temperature)))
            if sampling.top_k:
                shape.append(TopKLogitsWarper(sampling.top_k))
            if sampling.top_p < 1:
                shape.append(TopPLogitsWarper(sampling.top_p))
        return shape


class _NoRepetition(LogitsProcessor):
    """Bars the tokens that would begin to repeat what the reply has said."""

    def __init__(self, repetition: Repetition, phrase: int) -> None:
        self.repetition = repetition
        self.phrase = phrase

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        for row, reply in enumerate(input_ids.tolist()):
            barred = [id for id in self.repetition.barred(reply, self.phrase) if id < scores.shape[1]]
            scores[row, barred] = -torch.inf
        return scores
