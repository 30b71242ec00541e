"""run.json, the record of a training run in the trained model's folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wolf_chatbox.errors import CheckpointError

RUN_FILE = "run.json"


def read_run(folder: Path) -> dict[str, Any] | None:
    """Read a trained model's record; None where there is none. Raises CheckpointError when it is damaged."""
    path = folder / RUN_FILE
    if not path.is_file():
        return None
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: damaged ({error}). Train the model again, or restore the file.") from error
    if not isinstance(run, dict):
        raise CheckpointError(f"{path}: damaged. Train the model again, or restore the file.")
    if changed := [name for name, fits in READ.items() if name in run and not fits(run[name])]:
        raise CheckpointError(f"{path}: damaged ({', '.join(changed)}). Train the model again, or restore the file.")
    return run


def _counts(speakers: object) -> bool:
    return isinstance(speakers, dict) and all(type(count) is int for count in speakers.values())


def _texts(texts: object) -> bool:
    return isinstance(texts, dict) and all(isinstance(text, str) for text in texts.values())


READ: dict[str, Callable[[Any], bool]] = {
    "style": lambda style: style in ("dialogpt", "named", "chat"),
    "persona": lambda persona: persona is None or isinstance(persona, str),
    "user": lambda user: isinstance(user, str),
    "max_tokens": lambda tokens: type(tokens) is int and tokens > 0,
    "reverse": lambda reverse: isinstance(reverse, bool),
    "finished": lambda finished: isinstance(finished, bool),
    "briefings": _texts,
    "greetings": _texts,
    "data": lambda data: isinstance(data, dict) and _counts(data.get("speakers", {})),
}
"""The fields that are read, each with its check: the file may come from anybody."""


def write_run(folder: Path, run: dict[str, Any]) -> None:
    (folder / RUN_FILE).write_text(json.dumps(run, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
