"""A tokenizer that needs neither torch nor transformers, whose import takes seconds: for talking through llama.cpp.

It reads the same files as transformers (tokenizer.json with the tokenizers library, and the settings beside it), and
gives the same ids and texts; a test holds the two against each other. What it does not read with certainty is left to
transformers: `load_light` says which of the two it is by what it returns.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from tokenizers import AddedToken
from tokenizers import Tokenizer as Backend

from wolf_chatbox.errors import ModelError
from wolf_chatbox.model.hub import CONFIG_FILE, DOWNLOAD_AGAIN, first_line
from wolf_chatbox.model.record import RUN_FILE
from wolf_chatbox.model.tokenizer import FEWEST_ENTRIES, check_trust, load_tokenizer
from wolf_chatbox.samples.tokenizer import Tokenizer

FILE, SETTINGS, TEMPLATE = "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"
MORE_TEMPLATES = "additional_chat_templates"
NAMES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
PLAIN_CLASSES = frozenset({"TokenizersBackend", "PreTrainedTokenizerFast"})
"""The classes that take tokenizer.json as it is. Others build a tokenizer of their own from its vocabulary, which may
cut texts elsewhere; after a training their tokenizer.json is what they built."""
CLEANED = (
    (" .", "."),
    (" ?", "?"),
    (" !", "!"),
    (" ,", ","),
    (" ' ", "'"),
    (" n't", "n't"),
    (" 'm", "'m"),
    (" 's", "'s"),
    (" 've", "'ve"),
    (" 're", "'re"),
)
"""What `clean_up_tokenization_spaces` replaces, in transformers' order; nothing where the model is a BPE."""


@dataclass(frozen=True)
class Encoded:
    input_ids: list[int]


def load_light(name: str, folder: Path, trust_remote_code: bool = False) -> Tokenizer:
    """Load the tokenizer in a model's folder, without transformers where that is certain to be the same.

    Raises ModelError when there is none that works.
    """
    check_trust(name, folder, SETTINGS, "AutoTokenizer", trust_remote_code)
    settings = _settings(folder)
    if settings is None:
        tokenizer: Any = load_tokenizer(name, folder, trust_remote_code)
        return tokenizer  # type: ignore[no-any-return]
    try:
        light = LightTokenizer(Backend.from_file(str(folder / FILE)), settings)
    except Exception as error:  # the tokenizers library raises no class of its own
        raise ModelError(f"{name}: cannot load its tokenizer ({first_line(error)}). {DOWNLOAD_AGAIN}") from error
    if len(light) < FEWEST_ENTRIES:
        raise ModelError(f"{name}: no tokenizer files ({FILE}). {DOWNLOAD_AGAIN}")
    return light


class LightTokenizer:
    """A tokenizer.json, and the settings of tokenizer_config.json."""

    def __init__(self, backend: Backend, settings: Mapping[str, Any]) -> None:
        self.backend_tokenizer = backend
        self.chat_template: Any = settings.get("chat_template")
        if isinstance(self.chat_template, list):
            self.chat_template = {template["name"]: template["template"] for template in self.chat_template}
        others = [key for key in settings if key.endswith("_token") and key not in NAMES]
        named = {key: _text(settings.get(key)) for key in (*NAMES, *others)}
        self.special_tokens_map: dict[str, str] = {key: text for key, text in named.items() if text is not None}
        extra = settings.get("extra_special_tokens") or settings.get("additional_special_tokens") or ()
        if isinstance(extra, Mapping):
            self.special_tokens_map |= {key: text for key, token in extra.items() if (text := _text(token)) is not None}
            extra = ()
        self._extra = [text for token in extra if (text := _text(token)) is not None]
        self._cleans = bool(settings.get("clean_up_tokenization_spaces")) and type(backend.model).__name__ != "BPE"
        self._lock = Lock()
        backend.no_truncation()
        backend.no_padding()
        self._add_missing(settings)

    def __call__(self, text: str, *, add_special_tokens: bool = True, split_special_tokens: bool = False) -> Encoded:
        with self._lock:  # the flag is the backend's, which other threads use too
            if self.backend_tokenizer.encode_special_tokens != split_special_tokens:
                self.backend_tokenizer.encode_special_tokens = split_special_tokens
            return Encoded(self.backend_tokenizer.encode(text, add_special_tokens=add_special_tokens).ids)

    def decode(self, token_ids: Sequence[int] | int, skip_special_tokens: bool = False) -> str:
        ids = [token_ids] if isinstance(token_ids, int) else list(token_ids)
        text = self.backend_tokenizer.decode(ids, skip_special_tokens=skip_special_tokens)
        for before, after in CLEANED if self._cleans else ():
            text = text.replace(before, after)
        return text

    def batch_decode(self, sequences: Sequence[Sequence[int]], skip_special_tokens: bool = False) -> list[str]:
        return [self.decode(ids, skip_special_tokens) for ids in sequences]

    def __len__(self) -> int:
        return self.backend_tokenizer.get_vocab_size(with_added_tokens=True)

    @property
    def added_tokens_decoder(self) -> dict[int, AddedToken]:
        return self.backend_tokenizer.get_added_tokens_decoder()

    @property
    def all_special_tokens(self) -> list[str]:
        return list(dict.fromkeys((*self.special_tokens_map.values(), *self._extra)))

    @property
    def all_special_ids(self) -> list[int]:
        ids = [self._id(token) for token in self.all_special_tokens]
        return [id for id in ids if id is not None]

    def __getattr__(self, name: str) -> Any:
        """A named token (eos_token) or its id (eos_token_id); None where it is not set."""
        if name.removesuffix("_id") in NAMES:
            token = self.__dict__.get("special_tokens_map", {}).get(name.removesuffix("_id"))
            return token if token is None or not name.endswith("_id") else self._id(token)
        raise AttributeError(name)

    def _id(self, token: str) -> int | None:
        id = self.backend_tokenizer.token_to_id(token)
        unknown = self.special_tokens_map.get("unk_token")
        return id if id is not None or unknown is None else self.backend_tokenizer.token_to_id(unknown)

    def _add_missing(self, settings: Mapping[str, Any]) -> None:
        """Add the tokens that the settings name and tokenizer.json does not hold as added tokens."""
        known = {str(token.content): token for token in self.added_tokens_decoder.values()}
        listed = sorted((settings.get("added_tokens_decoder") or {}).items(), key=lambda item: int(item[0]))
        tokens = [AddedToken(**token) for _, token in listed if token["content"] not in known]
        have = {*known, *(str(token.content) for token in tokens)}
        tokens += [AddedToken(text, special=True) for text in self.all_special_tokens if text not in have]
        for token in tokens:
            if token.content in self.special_tokens_map.values():
                token.special = True
            add = self.backend_tokenizer.add_special_tokens if token.special else self.backend_tokenizer.add_tokens
            add([token])


def _settings(folder: Path) -> dict[str, Any] | None:
    """The settings of a tokenizer that transformers would take as it is; None where that is not certain."""
    if not (folder / FILE).is_file() or (folder / MORE_TEMPLATES).exists():
        return None
    try:
        settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
        plain = settings.get("tokenizer_class") in PLAIN_CLASSES or (folder / RUN_FILE).is_file()
        if not plain or settings.get("auto_map") or "mistral" in _model_type(folder):  # whose pattern is mended there
            return None
        for file in ("special_tokens_map.json",) if "added_tokens_decoder" not in settings else ():
            if (folder / file).is_file():
                settings |= json.loads((folder / file).read_text(encoding="utf-8"))
        if (folder / TEMPLATE).is_file():
            settings["chat_template"] = (folder / TEMPLATE).read_text(encoding="utf-8")
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return None  # transformers tells what is wrong with it
    return settings  # type: ignore[no-any-return]


def _model_type(folder: Path) -> str:
    try:
        return str(json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8")).get("model_type"))
    except FileNotFoundError:  # a LoRA adapter's folder
        return ""


def _text(token: Any) -> str | None:
    """A token's text, which may stand in a description of the token."""
    text = token.get("content") if isinstance(token, Mapping) else token
    return text if isinstance(text, str) else None
