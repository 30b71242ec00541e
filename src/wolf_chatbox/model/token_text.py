"""The text and the bytes of single tokens, as an API shows them: a token may be a part of a character."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from wolf_chatbox.samples.tokenizer import Tokenizer

SPACE = "\u2581"
"""Stands for a space in SentencePiece vocabularies."""
BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")


class Piece(NamedTuple):
    """A token of a reply."""

    id: int
    text: str
    """With replacement characters where it is a part of a character."""
    bytes: bytes
    logprob: float
    """Its natural log-probability under the model, before any setting changes it."""
    top: tuple[Piece, ...] = ()
    """The likeliest tokens in its place, as many as were asked for."""


class TokenText:
    """Finds the text of one tokenizer's tokens."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        backend: Any = getattr(tokenizer, "backend_tokenizer", None)
        self._token_of: Any = backend.id_to_token if backend else tokenizer.convert_ids_to_tokens
        self._added = {id: str(token.content) for id, token in tokenizer.added_tokens_decoder.items()}
        # Some byte-level vocabularies lack the letters of bytes that no UTF-8 has, but none the one of a space.
        letters = _letters_of_bytes()
        id_of: Any = backend.token_to_id if backend else tokenizer.get_vocab().get
        bytewise = (
            id_of(SPACE) is None and id_of(next(one for one, byte in letters.items() if byte == 0x20)) is not None
        )
        self._letters = letters if bytewise else {}

    def bytes_of(self, id: int) -> bytes:
        """The bytes that a token adds to a text."""
        if id in self._added:
            return self._added[id].encode()
        token = str(self._token_of(id) or "")
        if self._letters:
            return b"".join(
                bytes([self._letters[letter]]) if letter in self._letters else letter.encode() for letter in token
            )
        if found := BYTE.fullmatch(token):
            return bytes([int(found[1], 16)])
        return token.replace(SPACE, " ").encode()

    def piece(self, id: int, logprob: float, top: tuple[tuple[int, float], ...] = ()) -> Piece:
        """A token with its text."""
        content = self.bytes_of(id)
        others = tuple(self.piece(*other) for other in top)
        return Piece(id, content.decode(errors="replace"), content, logprob, others)


def _letters_of_bytes() -> dict[str, int]:
    """The byte that each letter of a byte-level vocabulary stands for.

    Printable bytes stand for themselves, the others follow from 256 on (GPT-2, Radford et al. 2019).
    """
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    letters, more = dict[str, int](), 256
    for byte in range(256):
        letters[chr(byte if byte in printable else more)] = byte
        more += byte not in printable
    return letters
