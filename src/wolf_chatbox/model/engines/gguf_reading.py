"""Reads a GGUF file's settings and tensors where they are needed, without its vocabulary.

The form: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. The package gguf reads everything into arrays of
its own, which takes seconds for a vocabulary that nobody asked for.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from gguf import GGMLQuantizationType as Kind
from gguf import quant_shape_to_byte_shape, quants
from numpy.typing import NDArray

from wolf_chatbox.errors import ModelError

NUMBERS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
"""The types of the settings, by their numbers."""
TEXT, ARRAY = 8, 9


class Tensor(NamedTuple):
    """A tensor as it lies in the file."""

    shape: tuple[int, ...]
    """Rows first."""
    kind: Kind
    data: NDArray[Any]
    """(rows, bytes of a row) of a quantised one, else `shape`."""

    def floats(self) -> NDArray[np.float32]:
        """Its values in fp32."""
        return np.asarray(quants.dequantize(self.data, self.kind), np.float32)


def read_gguf(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The settings, without the architecture's name before them, and the tensors, which stay on the disk until used.

    Arrays among the settings are left out. Raises ModelError when the file cannot be read.
    """
    try:
        data = np.memmap(path, mode="r")
        return _Cursor(data).parts()
    except (OSError, ValueError, KeyError, struct.error, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: not a GGUF file that can be read. Delete it; it is made anew.") from error


class _Cursor:
    def __init__(self, data: NDArray[np.uint8]) -> None:
        self.data, self.bytes, self.at = data, data.data, 0

    def parts(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        if bytes(self.bytes[:4]) != b"GGUF":
            raise ValueError("no GGUF")
        self.at = 8
        tensors, count = self._number("<Q"), self._number("<Q")
        found = {key: value for key, value in self._settings(count) if value is not None}
        kind = found["general.architecture"]
        places = [self._place() for _ in range(tensors)]
        align = int(found.get("general.alignment", 32))
        start = -(-self.at // align) * align
        settings = {key.removeprefix(f"{kind}."): value for key, value in found.items()}
        return settings, {name: self._tensor(shape, of, start + at) for name, shape, of, at in places}

    def _settings(self, count: int) -> Iterator[tuple[str, Any]]:
        for _ in range(count):
            yield self._text(), self._value(self._number("<I"))

    def _value(self, kind: int) -> Any:
        """A setting's value; None for an array, which is passed over."""
        if kind == TEXT:
            return self._text()
        if kind != ARRAY:
            return self._number(NUMBERS[kind])
        kind, count = self._number("<I"), self._number("<Q")
        if kind == TEXT:
            for _ in range(count):
                self.at += 8 + int.from_bytes(self.bytes[self.at : self.at + 8], "little")
        else:
            self.at += count * struct.calcsize(NUMBERS[kind])
        return None

    def _place(self) -> tuple[str, tuple[int, ...], Kind, int]:
        """A tensor's name, shape, type, and where its data begins after that of all begins."""
        name = self._text()
        shape = tuple(self._number("<Q") for _ in range(self._number("<I")))[::-1]
        return name, shape, Kind(self._number("<I")), self._number("<Q")

    def _tensor(self, shape: tuple[int, ...], kind: Kind, at: int) -> Tensor:
        plain = {Kind.F32: np.float32, Kind.F16: np.float16}.get(kind)
        form = tuple(shape) if plain else quant_shape_to_byte_shape(shape, kind)
        size = int(np.prod(form)) * (np.dtype(plain).itemsize if plain else 1)
        return Tensor(shape, kind, self.data[at : at + size].view(plain or np.uint8).reshape(form))

    def _text(self) -> str:
        size = self._number("<Q")
        self.at += size
        return bytes(self.bytes[self.at - size : self.at]).decode()

    def _number(self, form: str) -> Any:
        (value,) = struct.unpack_from(form, self.bytes, self.at)
        self.at += struct.calcsize(form)
        return value
