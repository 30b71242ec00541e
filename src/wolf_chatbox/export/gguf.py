"""A trained model as GGUF with an Ollama Modelfile, checked by llama.cpp's own server."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from wolf_chatbox.config import Quantisation, SamplingConfig
from wolf_chatbox.errors import CheckpointError
from wolf_chatbox.export.agreement import Agreement, check, compare, prompts_of
from wolf_chatbox.export.llama_server import LlamaServer, llama_server
from wolf_chatbox.export.modelfile import modelfile
from wolf_chatbox.model.adapter import foundations
from wolf_chatbox.model.character import saved_sampling
from wolf_chatbox.model.gguf.writing import write_gguf
from wolf_chatbox.model.light_tokenizer import load_light
from wolf_chatbox.model.load import context_of, load_model
from wolf_chatbox.model.speech import Speech
from wolf_chatbox.samples.templates import render
from wolf_chatbox.visible import Tell

CONTEXT = 512
"""Tokens that the check needs at most."""


def export_gguf(
    model: Path, folder: Path, quantise: Quantisation, *, allow_base: bool, tell: Tell = lambda text: None
) -> Agreement:
    """Write `NAME-q8_0.gguf` and a Modelfile into a folder, and compare the answers with the original's.

    Raises ModelError for a model that llama.cpp does not have, CheckpointError when the file answers otherwise.
    """
    from wolf_chatbox.model.engines.torch import TorchDecoder

    name = f"{model.resolve().name}-{quantise}.gguf"
    place, base = folder / name, foundations(str(model), model, tell, allow_base=allow_base)[-1]
    write_gguf(model, base, place, quantise, allow_base=allow_base, tell=tell)
    tell("comparing its answers with the original's")
    original = load_model(str(model), allow_base=allow_base).model
    speech, context = Speech.of(model, load_light(str(model), model)), context_of(original.config)
    (folder / "Modelfile").write_text(modelfile(name, speech, _sampling(model), context), encoding="utf-8")
    prompts = prompts_of(speech, min(context, CONTEXT))
    tokenizer = speech.renderer.tokenizer
    ends = [speech.renderer.end_id, *([tokenizer.eos_token_id] if tokenizer.eos_token_id is not None else [])]
    with llama_server(place, min(context, CONTEXT)) as server:
        _check_template(place, server, speech)
        if not all(_cuts_alike(server, speech, ids) for ids in prompts):
            tell("note: llama.cpp cuts some texts otherwise than the model; programs that pass texts get other answers")
        found = compare(TorchDecoder(original, 1), prompts, ends, server.likeliest)
    return check(place, found, quantise)


def _sampling(model: Path) -> SamplingConfig:
    """The sampling settings that are saved with a model."""
    path = model / "generation_config.json"
    return saved_sampling(json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}, model)


def _check_template(place: Path, server: LlamaServer, speech: Speech) -> None:
    """Raise CheckpointError when the file's chat template makes another prompt than the model's."""
    renderer = speech.renderer
    talk = (("user", "Hello."), ("assistant", "Hi."), ("user", "Who are you?"))
    tokens = tuple((name, str(token)) for name, token in renderer.tokenizer.special_tokens_map.items())
    wanted = render(renderer.style.template(), tokens, talk, prompt=True)[0]
    if server.rendered([{"role": role, "content": text} for role, text in talk]) != wanted:
        raise CheckpointError(f"{place}: its chat template renders another text. It was removed; please report this.")


def _cuts_alike(server: LlamaServer, speech: Speech, ids: Sequence[int]) -> bool:
    """Whether llama.cpp makes of a prompt's text the ids that the model's own tokenizer makes of it."""
    tokenizer = speech.renderer.tokenizer
    text = tokenizer.decode(ids)
    return server.tokenize(text, special=True) == list(tokenizer(text, add_special_tokens=False).input_ids)
