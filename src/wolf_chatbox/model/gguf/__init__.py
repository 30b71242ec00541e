"""A model as one GGUF file (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md), for llama.cpp and its kin.

The file is made once and kept: beside a run as `model-q8_0.gguf`, for any other model in the cache folder. It records
the files it was made of. Their sizes and times are compared at each start, their checksums only where the times differ.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from wolf_chatbox.config import Quantisation
from wolf_chatbox.errors import CheckpointError
from wolf_chatbox.files import cache_folder, free_bytes, new_path, sha256
from wolf_chatbox.lock import alone
from wolf_chatbox.model.adapter import foundations
from wolf_chatbox.model.hub import megabytes
from wolf_chatbox.model.record import RUN_FILE
from wolf_chatbox.visible import Tell

FORM = 1
"""Counts the ways in which this code has written files; another number makes all of them anew."""
MADE_OF = re.compile(
    r"(config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|run|adapter_config)\.json|merges\.txt"
    r"|.*\.jinja|spiece\.model|tokenizer\.model|model.*\.safetensors|adapter_model\..*|pytorch_model.*\.bin"
)
SOURCE, SEEN = "wolf_chatbox.source", "wolf_chatbox.seen"
"""The keys of the record: the form, and each file with its size and SHA-256; and when each was last written. The second
has a fixed length, so that it can be corrected in place."""
STRING = 8
"""The GGUF's number for the type of a text."""


def gguf_of(
    folder: Path,
    quantise: Quantisation = "q8_0",
    tell: Tell = lambda text: None,
    *,
    allow_base: bool = False,
) -> Path:
    """The model in `folder` as a GGUF file, made now unless there is one of the same weights and tokenizer.

    `quantise` is q8_0, q4_k or f16; a LoRA adapter is merged with its base model. Two processes do not clash: the
    second waits. Raises ModelError for a model that llama.cpp does not have or that is damaged, CheckpointError when
    the file cannot be written.
    """
    folders = foundations(str(folder), folder, tell, allow_base=allow_base)
    places = list(_places(folder, quantise))
    for place in places:
        if _is_current(place, folders):
            return place
    for place in places[:-1]:
        with suppress(CheckpointError):  # a folder that cannot be written after all
            return _make(place, folders, quantise, tell, allow_base)
    return _make(places[-1], folders, quantise, tell, allow_base)


def _places(folder: Path, quantise: Quantisation) -> Iterator[Path]:
    """Where the file may be: beside the run, if this is one that can be written, and in the cache folder."""
    if (folder / RUN_FILE).is_file() and os.access(folder, os.W_OK):
        yield folder / f"model-{quantise}.gguf"
    where = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]
    yield cache_folder() / "gguf" / f"{folder.resolve().name}-{where}-{quantise}.gguf"


def _make(place: Path, folders: Sequence[Path], quantise: Quantisation, tell: Tell, allow_base: bool) -> Path:
    from wolf_chatbox.model.gguf.writing import write_gguf

    with alone(place, wait=True):
        if _is_current(place, folders):
            return place  # another process made it meanwhile
        tell(f"writing the model as GGUF, {quantise} (once)")
        files = _files(folders)
        notes = {SOURCE: _source(files, {label: sha256(path) for label, path in files.items()}), SEEN: _seen(files)}
        size = sum(path.stat().st_size for path in files.values())
        with new_path(place, min(size, 2 * free_bytes(place))) as new:
            write_gguf(folders[0], folders[-1], new, quantise, notes=notes, allow_base=allow_base, tell=tell)
        tell(f"wrote {place} ({megabytes(place.stat().st_size)})")
    return place


def _files(folders: Sequence[Path]) -> dict[str, Path]:
    """The files that a GGUF is made of, by a label that does not change when the folders move."""
    return {
        f"{at}/{path.name}": path
        for at, folder in enumerate(folders)
        for path in sorted(folder.iterdir())
        if MADE_OF.fullmatch(path.name) and path.is_file()
    }


def _source(files: dict[str, Path], sums: dict[str, str]) -> str:
    return json.dumps([FORM, *([label, path.stat().st_size, sums[label]] for label, path in files.items())])


def _seen(files: dict[str, Path]) -> str:
    return " ".join(f"{path.stat().st_mtime_ns:020d}" for path in files.values())


class _Record(NamedTuple):
    source: str
    seen: str
    seen_at: int
    """Where the text `seen` stands in the file, in bytes."""


def _is_current(place: Path, folders: Sequence[Path]) -> bool:
    """Whether the file was made of what is in the folders now."""
    try:
        files = _files(folders)
        record = _read_record(place)
        form, *listed = json.loads(record.source)
        if form != FORM or [(label, size) for label, size, _ in listed] != [
            (label, path.stat().st_size) for label, path in files.items()
        ]:
            return False
        seen = _seen(files)
        if record.seen == seen:
            return True
        if any(sha256(files[label]) != sum_ for label, _, sum_ in listed):
            return False
    except (OSError, ValueError, TypeError, struct.error):
        return False
    with suppress(OSError), place.open("r+b") as file:  # so that the next start need not compute checksums
        file.seek(record.seen_at)
        file.write(seen.encode())
    return True


def _read_record(place: Path) -> _Record:
    """The record at the beginning of a GGUF's metadata; raises ValueError or struct.error where there is none."""
    found: dict[str, tuple[str, int]] = {}
    with place.open("rb") as file:
        magic, _, _, count = struct.unpack("<4sIQQ", file.read(24))
        if magic != b"GGUF":
            raise ValueError("not a GGUF file")
        for _ in range(min(count, 3)):  # the architecture is first
            key, _ = _read_text(file)
            if struct.unpack("<I", file.read(4)) != (STRING,):
                break
            found[key] = _read_text(file)
    if SOURCE not in found or SEEN not in found:
        raise ValueError("no record")
    return _Record(found[SOURCE][0], *found[SEEN])


def _read_text(file: BinaryIO) -> tuple[str, int]:
    """A text and where it stands."""
    (length,) = struct.unpack("<Q", file.read(8))
    if length > 1 << 20:
        raise ValueError("not a record")
    at = file.tell()
    return file.read(length).decode(), at
