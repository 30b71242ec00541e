"""A trained model as ONNX (https://onnx.ai), checked by onnxruntime.

The graph reads token ids, (batch, tokens) int64 `input_ids`, and gives fp32 `logits`, (batch, tokens, vocabulary). It
keeps no cache: each call reads a text from its beginning. That suits scoring and browsers; for chats take the GGUF.
"""

from __future__ import annotations

import logging
import os
import shutil
import warnings
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from wolf_chatbox.errors import ModelError
from wolf_chatbox.export.agreement import Agreement, Likeliest, check, compare, prompts_of
from wolf_chatbox.model.engines.torch import TorchDecoder
from wolf_chatbox.model.hub import first_line
from wolf_chatbox.model.load import load_model
from wolf_chatbox.model.record import RUN_FILE
from wolf_chatbox.model.speech import Speech
from wolf_chatbox.visible import Tell

FILE = "model.onnx"
NEEDED = ("onnx", "onnxscript", "onnxruntime")


class _Logits(nn.Module):
    """A model that takes and gives nothing but tensors."""

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor) -> Tensor:
        logits: Tensor = self.model(input_ids=input_ids, use_cache=False).logits
        return logits


def export_onnx(model: Path, folder: Path, *, allow_base: bool, tell: Tell = lambda text: None) -> Agreement:
    """Write `model.onnx` and the tokenizer into a folder, and compare the answers with the original's.

    Raises ModelError when a package is missing or the model cannot be traced, CheckpointError when the file answers
    otherwise.
    """
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise ModelError(f"onnx: {', '.join(missing)} missing. Install wolf-chatbox[onnx].")
    base = load_model(str(model), allow_base=allow_base, tell=tell)
    _write(str(model), base.model, folder / FILE)
    base.tokenizer.save_pretrained(folder)
    base.model.config.save_pretrained(folder)
    for name in (RUN_FILE, "generation_config.json"):
        if (model / name).is_file():
            shutil.copy2(model / name, folder)
    tell("comparing its answers with the original's")
    speech = Speech.of(model, base.tokenizer)
    original = TorchDecoder(base.model, 1)
    end = base.tokenizer.eos_token_id
    ends = [speech.renderer.end_id, *([end] if end is not None else [])]
    found = compare(original, prompts_of(speech, original.context), ends, _runtime(folder / FILE))
    return check(folder / FILE, found, "onnx")


def _write(name: str, model: PreTrainedModel, place: Path) -> None:
    """Trace the model with any number of texts and tokens, and write the graph with its weights."""
    any_number = torch.export.Dim.DYNAMIC
    example = torch.tensor([[1, 2, 3, 4], [5, 6, 7, 8]])
    levels = {logger: logging.getLogger(logger).level for logger in ("torch.onnx", "onnxscript", "onnx_ir")}
    try:
        with warnings.catch_warnings(), open(os.devnull, "w") as nowhere:
            warnings.simplefilter("ignore")
            for logger in levels:
                logging.getLogger(logger).setLevel(logging.ERROR)
            with redirect_stdout(nowhere), redirect_stderr(nowhere):
                program: Any = torch.onnx.export(
                    _Logits(model).eval(),
                    (example,),
                    dynamo=True,
                    input_names=["input_ids"],
                    output_names=["logits"],
                    dynamic_shapes={"input_ids": {0: any_number, 1: any_number}},
                    verbose=False,
                )
                program.save(place, external_data=False)
    except OSError:
        raise
    except Exception as error:  # each layer of the exporter has errors of its own
        raise ModelError(f"{name}: cannot be traced for ONNX ({first_line(error)}). Use --to gguf.") from error
    finally:
        for logger, level in levels.items():
            logging.getLogger(logger).setLevel(level)


def _runtime(path: Path) -> Likeliest:
    """Asks onnxruntime for the likeliest tokens."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def likeliest(prompt: Sequence[int], reply: Sequence[int]) -> list[int]:
        ids = np.array([[*prompt, *reply[:-1]]], dtype=np.int64)
        logits = session.run(None, {"input_ids": ids})[0][0, -len(reply) :]
        return [int(id) for id in logits.argmax(-1)]

    return likeliest
