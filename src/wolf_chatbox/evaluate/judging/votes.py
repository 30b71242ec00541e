"""Votes: which of two replies somebody likes better, in files that `train --preferences` learns from."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from wolf_chatbox.conversation import Turn, parse_json
from wolf_chatbox.data.preferences import Preference
from wolf_chatbox.errors import DataError
from wolf_chatbox.evaluate.judging.pairs import Key, Pair, Reply
from wolf_chatbox.files import OTHER_FILE, writing

Choice = Literal["first", "second", "tie"]
JUDGE = "judge:"
"""What the name of a voter that is a model begins with."""
FORM = "a vote has prompt, chosen and rejected (or tied), and the entries that gave them (chosen_by, rejected_by)"


class Vote(NamedTuple):
    """A pair, and what was chosen of it."""

    pair: Pair
    choice: Choice
    voter: str
    """Empty for somebody who gave no name."""
    steady: bool = True
    """Whether a judge said the same with the replies swapped."""
    bad: bool = False
    """Whether both replies of a tie were called bad."""

    @property
    def by_model(self) -> bool:
        return self.voter.startswith(JUDGE)

    def points(self) -> dict[str, float]:
        """One for the entry that won, none for the other, half for each in a tie."""
        first = {"first": 1.0, "second": 0.0, "tie": 0.5}[self.choice]
        return {self.pair.first.entry: first, self.pair.second.entry: 1 - first}

    def to_dict(self) -> dict[str, Any]:
        """The form of `Preference`, with the voter and the entries; a tie has `tied` instead of a chosen reply."""
        pair = self.pair if self.choice != "second" else self.pair.swapped()
        one, other = (Turn(pair.speaker, reply.text) for reply in (pair.first, pair.second))
        form = Preference(pair.context, one, other).to_dict()
        if self.choice == "tie":
            form |= {"tied": [form.pop("chosen"), form.pop("rejected")]}
            form["tied_by"] = [pair.first.entry, pair.second.entry]
            form |= {"bad": True} if self.bad else {}
        else:
            form |= {"chosen_by": pair.first.entry, "rejected_by": pair.second.entry}
        form |= {"voter": self.voter} if self.voter else {}
        form |= {} if pair.conversation is None else {"conversation": pair.conversation}
        return form if self.steady else form | {"steady": False}

    @classmethod
    def from_dict(cls, form: Mapping[str, Any], voter: str) -> Vote:
        """The inverse of `to_dict`; `voter` is who voted where it does not say.

        Raises KeyError, TypeError, ValueError or AttributeError for any other value.
        """
        tie = "tied" in form
        replies = form["tied"] if tie else (form["chosen"], form["rejected"])
        entries = form["tied_by"] if tie else (form["chosen_by"], form["rejected_by"])
        (one,), (other,) = (tuple(map(_turn, reply)) for reply in replies)
        first, second = (Reply(_text(entry), turn.text) for entry, turn in zip(entries, (one, other), strict=True))
        conversation = form.get("conversation")
        if not (conversation is None or type(conversation) is int):
            raise ValueError("conversation")
        pair = Pair(tuple(map(_turn, form["prompt"])), one.speaker, first, second, conversation)
        choice: Choice = "tie" if tie else "first"
        steady, bad = form.get("steady") is not False, tie and form.get("bad") is True
        return cls(pair, choice, _text(form.get("voter", voter)), steady, bad)


def _turn(message: Mapping[str, Any]) -> Turn:
    return Turn(_text(message.get("name", message["role"])), _text(message["content"]))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def read_votes(paths: Iterable[Path]) -> list[Vote]:
    """The votes of some files, the last one where somebody voted twice about a pair; raises DataError.

    Votes without a voter are the file's: its name without the ending stands for whoever voted.
    """
    found: dict[tuple[str, Key], Vote] = {}
    for path in paths:
        try:
            lines = path.read_text(encoding="utf-8").split("\n")  # no other line end: a text may hold U+2028
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "not UTF-8"
            raise DataError(f"{path}: cannot be read ({why}). Name a file that --vote or the page wrote.") from error
        for number, line in enumerate(lines, 1):
            if line.strip():
                form = parse_json(line, str(path), number)
                try:
                    vote = Vote.from_dict(form, path.stem)
                except (KeyError, TypeError, ValueError, AttributeError) as error:
                    raise DataError(f"{path}, line {number}: no vote of an evaluation: {FORM}.") from error
                found[vote.voter, vote.pair.key()] = vote
    return list(found.values())


def add_vote(path: Path, vote: Vote) -> None:
    """Write a vote at the end of a file, at once; raises CheckpointError where that cannot be."""
    add_line(path, vote.to_dict())


def add_line(path: Path, form: Mapping[str, Any], *, mode: int = 0o666) -> None:
    """Write a JSON object as the last line of a file, at once; a new file gets `mode`. Raises CheckpointError."""
    line = json.dumps(form, ensure_ascii=False) + "\n"
    with writing(path, OTHER_FILE):
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "ab+", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            if file.tell() and (file.seek(-1, os.SEEK_END), file.read(1))[1] != b"\n":
                line = "\n" + line
            file.write(line.encode("utf-8", "replace"))
            file.flush()
            os.fsync(file.fileno())


def not_voted(pairs: Iterable[Pair], votes: Iterable[Vote], voter: str) -> list[Pair]:
    """The pairs that a voter has not voted about."""
    known = {vote.pair.key() for vote in votes if vote.voter == voter}
    return [pair for pair in pairs if pair.key() not in known]
