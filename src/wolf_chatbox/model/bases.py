"""The base models that have a short name: where they are, what they speak, their licences, and what they need.

Sizes are those that the models' own config.json and weights have on the hub. Memory is calculated, by the rule that
docs/benchmarks.md gives and `--dry-run` measures.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from wolf_chatbox.model.licences import APACHE, GEMMA, LLAMA, MIT, Licence, licence_of
from wolf_chatbox.model.record import read_run

PROCESS = 600_000_000
"""Bytes of a process before there is any model: Python, torch and transformers."""
TALKING, ENTRY = 100_000_000, 1000
"""Bytes of a chat with llama.cpp before there is any model, and of each entry of its vocabulary."""
MOST_CACHE = 1 << 30
"""Bytes of llama.cpp's cache for one text, at most."""
CHUNK = 512
"""Tokens whose logits are in memory together, and tokens of a row by default."""
LONGEST = 1 << 15
"""Tokens of one text, at most."""
IN_LLAMA_CPP = ("gpt2", "llama", "gemma3_text")
"""Architectures that our GGUF files have; others talk through torch, in bf16."""


class Known(NamedTuple):
    """A base model that has a short name."""

    hub_name: str | None
    """None for an embedded model, which needs no hub."""
    parameters: int
    layers: int
    width: int
    vocabulary: int
    keys: int
    """Numbers in the keys of one token in one layer, all heads together."""
    context: int
    languages: str
    """ISO 639-1 codes; `many` for a model with a hundred or more."""
    licence: Licence
    architecture: str = "gpt2"
    """`model_type` of its config.json."""
    tried: bool = False
    """Whether this project has trained it, or its shape, and talked with it."""

    def speaks(self, language: str) -> bool:
        return bool({language, "many"} & set(self.languages.split()))

    def to_train(self, tokens: int = CHUNK) -> int:
        """Bytes that training all weights takes with AdamW, and so many tokens in a forward pass; calculated.

        A parameter takes 4 bytes, its gradient 4, AdamW's moments 8, autocast's copy 2; a token in a layer about 34
        bytes × width (Korthikanti et al. 2022, https://arxiv.org/abs/2205.05198, without the attention matrix); logits
        6 bytes each, and the output layer's own gradient 4.
        """
        activations = 34 * self.width * self.layers * tokens
        output = 6 * min(tokens, CHUNK) * self.vocabulary + 4 * self.vocabulary * self.width
        return PROCESS + 18 * self.parameters + activations + output

    def to_talk(self) -> int:
        """Bytes that a chat takes: 8-bit weights in llama.cpp, with its cache; 16-bit weights in torch; calculated."""
        cache = 4 * self.keys * self.layers * min(self.context, LONGEST)
        if self.architecture in IN_LLAMA_CPP:
            return TALKING + ENTRY * self.vocabulary + self.parameters * 17 // 16 + min(cache, MOST_CACHE)
        return PROCESS + 2 * self.parameters


def _gpt2(name: str, parameters: int, layers: int, width: int, licence: Licence = MIT, *, tried: bool = False) -> Known:
    return Known(name, parameters, layers, width, 50257, width, 1024, "en", licence, tried=tried)


def _rinna(name: str, parameters: int, layers: int, width: int) -> Known:
    return Known(name, parameters, layers, width, 32000, width, 1024, "ja", MIT)


KNOWN = {
    "smollm2-135m": Known(None, 134_515_008, 30, 576, 49152, 192, 8192, "en", APACHE, "llama", tried=True),
    "gemma3-270m": Known(None, 268_098_176, 18, 640, 262144, 256, 32768, "many", GEMMA, "gemma3_text", tried=True),
    "dialogpt-small": _gpt2("microsoft/DialoGPT-small", 124_439_808, 12, 768, tried=True),
    "dialogpt-medium": _gpt2("microsoft/DialoGPT-medium", 354_823_168, 24, 1024),
    "dialogpt-large": _gpt2("microsoft/DialoGPT-large", 774_030_080, 36, 1280),
    "gpt2": _gpt2("openai-community/gpt2", 124_439_808, 12, 768, tried=True),
    "gpt2-medium": _gpt2("openai-community/gpt2-medium", 354_823_168, 24, 1024),
    "gpt2-large": _gpt2("openai-community/gpt2-large", 774_030_080, 36, 1280),
    "gpt2-xl": _gpt2("openai-community/gpt2-xl", 1_557_611_200, 48, 1600),
    "distilgpt2": _gpt2("distilbert/distilgpt2", 81_912_576, 6, 768, APACHE),
    "japanese-gpt2-small": _rinna("rinna/japanese-gpt2-small", 110_418_432, 12, 768),
    "japanese-gpt2-medium": _rinna("rinna/japanese-gpt2-medium", 336_128_000, 24, 1024),
    "smollm2-360m": Known(
        "HuggingFaceTB/SmolLM2-360M-Instruct", 361_821_120, 32, 960, 49152, 320, 8192, "en", APACHE, "llama"
    ),
    "smollm2-1.7b": Known(
        "HuggingFaceTB/SmolLM2-1.7B-Instruct", 1_711_376_384, 24, 2048, 49152, 2048, 8192, "en", APACHE, "llama"
    ),
    "qwen3-0.6b": Known("Qwen/Qwen3-0.6B-Base", 596_049_920, 28, 1024, 151936, 1024, 32768, "many", APACHE, "qwen3"),
    "qwen3-1.7b": Known("Qwen/Qwen3-1.7B-Base", 1_720_574_976, 28, 2048, 151936, 1024, 32768, "many", APACHE, "qwen3"),
    "gemma3-1b": Known("google/gemma-3-1b-pt", 999_885_952, 26, 1152, 262144, 256, 32768, "many", GEMMA, "gemma3_text"),
    "llama3.2-1b": Known(
        "meta-llama/Llama-3.2-1B", 1_235_814_400, 16, 2048, 128256, 512, 131072, "en + 7", LLAMA, "llama"
    ),
    "llm-jp-3-150m": Known("llm-jp/llm-jp-3-150m", 152_318_464, 12, 512, 99584, 512, 4096, "ja en", APACHE, "llama"),
    "llm-jp-3-440m": Known("llm-jp/llm-jp-3-440m", 447_251_456, 16, 1024, 99584, 1024, 4096, "ja en", APACHE, "llama"),
    "llm-jp-3-1.8b": Known(
        "llm-jp/llm-jp-3-1.8b", 1_867_614_208, 24, 2048, 99584, 2048, 4096, "ja en", APACHE, "llama"
    ),
    "sarashina2.2-0.5b": Known(
        "sbintuitions/sarashina2.2-0.5b", 793_048_320, 24, 1280, 102400, 640, 8192, "ja en", MIT, "llama"
    ),
    "sarashina2.2-1b": Known(
        "sbintuitions/sarashina2.2-1b", 1_407_538_944, 24, 1792, 102400, 896, 8192, "ja en", MIT, "llama"
    ),
}
"""Base models by their short names."""
BY_HUB_NAME = {known.hub_name.lower(): known for known in KNOWN.values() if known.hub_name}


def licence_for(name: str, folder: Path) -> Licence | None:
    """The licence of a base model, by its name, or by the record of the run that it comes from; None if not known."""
    known = KNOWN.get(name.lower()) or BY_HUB_NAME.get(name.lower())
    return known.licence if known is not None else licence_of(read_run(folder))


def largest_that_fits(memory: float, language: str, *, tried: bool) -> str | None:
    """The largest base model for a language that so many bytes are enough to train; of those tried, if that is asked.

    Of equally large ones it is the first in the table. None where there is none.
    """
    fitting = [
        alias
        for alias, known in KNOWN.items()
        if known.speaks(language) and known.to_train() <= memory and (known.tried or not tried)
    ]
    return max(fitting, key=lambda alias: KNOWN[alias].parameters, default=None)
