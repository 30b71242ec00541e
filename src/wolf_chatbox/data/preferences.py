"""Choices between two replies, and their files of JSON Lines, one choice a line.

`{"prompt": [messages], "chosen": [message], "rejected": [message]}`, each message with `role`, `name` and `content`. A
vote may add who voted, and has `tied` in place of the two replies where neither was the better one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from wolf_chatbox.conversation import Turn, is_unicode, parse_json
from wolf_chatbox.data.export import role_of
from wolf_chatbox.errors import DataError

TITLE = "choices between replies"
SAME = "both replies are the same"
"""Why a choice teaches nothing."""
FORM = '{"prompt": [messages], "chosen": [message], "rejected": [message]}'


class Preference(NamedTuple):
    """Two replies of one speaker to the same turns."""

    context: tuple[Turn, ...]
    """What the speaker had heard."""
    chosen: Turn
    rejected: Turn

    def to_dict(self) -> dict[str, object]:
        """The form that TRL's DPOTrainer reads: `prompt`, `chosen` and `rejected`, each a list of messages.

        https://huggingface.co/docs/trl/dataset_formats, preference data with an explicit prompt
        """
        speaker = self.chosen.speaker

        def message(turn: Turn) -> dict[str, str]:
            return {"role": role_of(turn.speaker, speaker), "name": turn.speaker, "content": turn.text}

        return {
            "prompt": [message(turn) for turn in self.context],
            "chosen": [message(self.chosen)],
            "rejected": [message(self.rejected)],
        }

    @classmethod
    def from_dict(cls, value: Any) -> Preference | None:
        """The inverse of `to_dict`; None for a tie.

        A message without a name is said by its role. Raises ValueError, which says what is missing.
        """
        if not isinstance(value, dict):
            raise ValueError(f"a choice is {FORM}")
        if "tied" in value:
            return None
        context = _messages(value, "prompt")
        chosen, rejected = _messages(value, "chosen"), _messages(value, "rejected")
        if len(chosen) != 1 or len(rejected) != 1:
            raise ValueError('"chosen" and "rejected" have one message each')
        if chosen[0].speaker != rejected[0].speaker:
            raise ValueError(f"{chosen[0].speaker} is chosen and {rejected[0].speaker} rejected: not one speaker")
        return cls(context, chosen[0], rejected[0])


def write_preferences(choices: Iterable[Preference], file: TextIO) -> int:
    """Write JSON Lines, one preference a line; returns their number."""
    count = 0
    for choice in choices:
        file.write(json.dumps(choice.to_dict(), ensure_ascii=False) + "\n")
        count += 1
    return count


def read_preferences(path: Path) -> Iterator[Preference | None]:
    """The choices of a file of JSON Lines, None for a tie; raises DataError with the number of the line."""
    number = 0
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    value = parse_json(line.rstrip(), str(path), number)
                    if not is_unicode(json.dumps(value, ensure_ascii=False)):
                        raise ValueError("half a surrogate pair is not a character")
                    yield Preference.from_dict(value)
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 (after line {number}). Save it as UTF-8.") from error
    except ValueError as error:
        raise DataError(f"{path}, line {number}: {error}. Correct it, or let `data preferences` read it.") from error
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}. Give a file that `data preferences` wrote.") from error


def _messages(value: dict[str, Any], name: str) -> tuple[Turn, ...]:
    messages = value.get(name)
    if not isinstance(messages, list):
        raise ValueError(f'no list "{name}" of messages: a choice is {FORM}')
    turns = []
    for message in messages:
        said = message if isinstance(message, dict) else {}
        speaker = said.get("name", said.get("role"))
        if not isinstance(speaker, str) or not isinstance(said.get("content"), str):
            raise ValueError(f'each message of "{name}" needs "content", and "name" or "role", all strings')
        turns.append(Turn(speaker, said["content"]))
    return tuple(turns)
