"""The texts in a picture: the chunks tEXt, zTXt and iTXt of a PNG (https://www.w3.org/TR/png-3/#11textinfo).

They may stand before the picture's data or after it. The data is passed over, so a picture of any size takes the memory
of the text that is asked for, which is bounded.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import IO

from wolf_chatbox.errors import DataError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CARDS = ("ccv3", "chara")
"""The keywords of the texts that are characters' cards, the newer version first."""
TEXTS = (b"tEXt", b"zTXt", b"iTXt")
LONGEST_KEYWORD = 79
MOST_BYTES = 1 << 26
"""Bytes of a text, unpacked: a longer one is no character's card."""


def keywords(file: IO[bytes]) -> list[str]:
    """What the texts of a PNG are about, in small letters and in order; none where the file is no PNG."""
    return [keyword for keyword, _, _ in _texts(file)]


def text_of(file: IO[bytes], keyword: str, where: str) -> bytes | None:
    """The last text of a PNG under that keyword; None where there is none.

    Raises DataError, beginning with `where`, for one that is cut off, damaged or longer than MOST_BYTES.
    """
    found = None
    for name, kind, length in _texts(file):
        if name == keyword:
            if length > MOST_BYTES:
                raise _too_long(where)
            content = file.read(length)
            if len(content) < length:
                raise DataError(f"{where}: the picture ends inside its text {keyword}. Save it again.")
            found = _unpacked(kind, content, where)
    return found


def with_texts(picture: bytes, texts: Mapping[str, bytes]) -> bytes:
    """A PNG that begins with these texts, plain; the cards that it had are left out.

    Some programs read the first text alone, whatever its keyword.
    """
    chunks, file = list[bytes](), io.BytesIO(picture)
    file.seek(len(SIGNATURE))
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        rest = file.read(length + 4)
        keyword = rest.partition(b"\0")[0].decode("latin-1").lower()
        if kind not in TEXTS or keyword not in CARDS:
            chunks.append(head + rest)
    added = [_chunk(b"tEXt", keyword.encode("latin-1") + b"\0" + text) for keyword, text in texts.items()]
    return b"".join([SIGNATURE, *chunks[:1], *added, *chunks[1:]])


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _texts(file: IO[bytes]) -> Iterator[tuple[str, bytes, int]]:
    """Keyword, kind and length of each text; the file stands at its beginning."""
    if file.read(len(SIGNATURE)) != SIGNATURE:
        return
    at = len(SIGNATURE)
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        at += 8
        if kind in TEXTS:
            keyword, ends, _ = file.read(min(length, LONGEST_KEYWORD + 1)).partition(b"\0")
            if ends:
                file.seek(at)
                yield keyword.decode("latin-1").lower(), kind, length
        at += length + 4  # the check sum
        file.seek(at)
        if kind == b"IEND":
            return


def _unpacked(kind: bytes, content: bytes, where: str) -> bytes:
    rest = content.partition(b"\0")[2]
    if kind == b"tEXt":
        return rest
    if kind == b"zTXt":
        return _inflated(rest[1:], where)
    packed, texts = rest[:1], rest[2:].split(b"\0", 2)
    if len(texts) < 3:
        raise DataError(f"{where}: its text is damaged. Save the picture again.")
    return _inflated(texts[2], where) if packed == b"\1" else texts[2]


def _inflated(packed: bytes, where: str) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(packed, MOST_BYTES)
    except zlib.error as error:
        raise DataError(f"{where}: its text cannot be unpacked ({error}). Save the picture again.") from error
    if unpacker.unconsumed_tail:
        raise _too_long(where)
    return text


def _too_long(where: str) -> DataError:
    return DataError(
        f"{where}: its text is longer than {MOST_BYTES >> 20} MiB, so it is no character's card. Leave it out."
    )
