"""What the renderer, the rules against repetition and a voice need of a tokenizer: part of what transformers offers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class Tokenizer(Protocol):
    """Texts to token ids and back. A tokenizer of transformers is one; so is `model.light_tokenizer`, without it."""

    def __call__(self, text: str, *, add_special_tokens: bool = True, split_special_tokens: bool = False) -> Any:
        """An object whose `input_ids` are the ids of a text.

        `add_special_tokens` adds what the tokenizer puts around a text, such as a start token. `split_special_tokens`
        reads a special token in the text as plain text.
        """
        ...

    def decode(self, token_ids: Any, skip_special_tokens: bool = False) -> Any: ...

    def batch_decode(self, sequences: Any, skip_special_tokens: bool = False) -> Any: ...

    def __len__(self) -> int:
        """The number of ids, those of added tokens among them."""
        ...

    @property
    def added_tokens_decoder(self) -> Mapping[int, Any]:
        """The added tokens by id; `special` of each says whether it is a mark rather than text."""
        ...

    @property
    def all_special_ids(self) -> Sequence[int]: ...

    @property
    def special_tokens_map(self) -> Mapping[str, Any]:
        """The tokens that have a name, such as eos_token."""
        ...

    def __getattr__(self, name: str) -> Any:
        """eos_token, bos_token, their ids, and chat_template; None where there is none."""
        ...
