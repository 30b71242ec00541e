"""The text of tokens of byte-level vocabularies, also of those that lack the letters of some bytes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from wolf_chatbox.model.token_text import TokenText


def texts(*vocabulary: str) -> TokenText:
    ids = {token: id for id, token in enumerate(vocabulary)}
    backend = SimpleNamespace(token_to_id=ids.get, id_to_token=lambda id: vocabulary[id])
    return TokenText(cast("Any", SimpleNamespace(backend_tokenizer=backend, added_tokens_decoder={})))


def test_a_byte_level_vocabulary_without_some_bytes_is_still_one() -> None:
    assert texts("Ġ", "Ġwolf", "Ċ").bytes_of(1) == b" wolf"


def test_a_vocabulary_of_sentencepiece_has_no_letters_for_bytes() -> None:
    found = texts("▁", "▁wolf", "Ġ", "<0x0A>")
    assert [found.bytes_of(id) for id in range(1, 4)] == [b" wolf", "Ġ".encode(), b"\n"]
