"""The rows of a run's training split and held-out split, with the account of every turn that was read."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Any, Literal

from wolf_chatbox.conversation import Turn
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.samples.briefing import NO_CARDS, Cards
from wolf_chatbox.samples.canaries import Canary
from wolf_chatbox.samples.learnt import Learnt
from wolf_chatbox.samples.packing import Row, share_filled
from wolf_chatbox.samples.rendering import Rendered, Renderer, Sample
from wolf_chatbox.scene import Scene


@dataclass(kw_only=True)
class Dataset:
    """The rows of the training split and of the held-out split, and what a run reports and records of them."""

    renderer: Renderer
    known: Learnt
    """What the training split holds, for those who must not ask it."""
    style_reason: str
    persona: str | None
    user: str
    """The speaker whose part a person takes in a chat."""
    speakers: Counter[str]
    tally: Tally
    conversations: int
    training: Rendered
    held_out: Rendered
    rows: list[Row]
    """What an epoch learns from."""
    held_out_rows: list[Row]
    max_tokens: int
    contexts: list[tuple[Scene, Turn]]
    """Scenes of the held-out split (of the training split, if that is empty), each with the turn that was said next."""
    first_rows: list[Row] = field(default_factory=list)
    """What all epochs but the last learn from instead, if there are any: everybody's turns, before the persona's."""
    notices: list[str] = field(default_factory=list)
    leak: float | None = None
    """Share of the held-out conversations that are near-duplicates of training data; None if none could be compared."""
    unit: Literal["turns", "choices"] = "turns"
    """What is counted: turns of conversations, or choices between replies, whose rows are pairs."""
    before: dict[str, Any] = field(default_factory=dict)
    """What stays of the record of the run that this one goes on from."""
    canaries: Sequence[Canary] = ()
    """Made-up secrets that were added to the training split."""
    cards: Cards = NO_CARDS

    @property
    def tokens(self) -> int:
        return sum(len(sample) for row in (self.first_rows or self.rows) + self.held_out_rows for sample in row)

    @property
    def learnt_tokens(self) -> int:
        """Of an epoch, the first one where they differ."""
        return learnt_tokens(self.first_rows or self.rows)

    def epochs(self, count: int) -> list[list[Row]]:
        """The rows of each of so many epochs."""
        return [self.first_rows or self.rows] * (count - 1) + [self.rows]

    @cached_property
    def held_out_bytes(self) -> int:
        """UTF-8 bytes of the words that are measured: each turn's, without its marks."""
        return sum(text_bytes(sample, self.renderer) for row in self.held_out_rows for sample in row)

    def turns(self) -> dict[str, int]:
        """Turns read, and added as canaries; how many of both were learnt, held out, context only, joined, dropped.

        Or choices, if `unit` says so.
        """
        return {
            "read": self.tally.read,
            **({"canaries": sum(2 * canary.copies for canary in self.canaries)} if self.canaries else {}),
            "learnt": self.training.learnt,
            "held out": self.held_out.learnt + self.held_out.context,
            "context only": self.training.context,
            **({"joined": self.tally.joined} if self.tally.joined else {}),
            "dropped": sum(self.dropped().values()),
        }

    def dropped(self) -> dict[str, int]:
        """Dropped turns by reason."""
        unused = self.training.unused + self.held_out.unused
        return dict(self.tally.dropped) | ({"no learnt turn follows": unused} if unused else {})

    def fingerprint(self) -> str:
        """SHA-256 of all token ids and learn masks, in order."""
        digest = hashlib.sha256()
        for row in self.first_rows + self.rows + self.held_out_rows:
            for sample in row:
                weights = [int(weight) if weight in (0, 1) else weight for weight in sample.learn]
                digest.update(json.dumps([sample.ids, weights]).encode())
        return digest.hexdigest()

    def record(self, *, hidden: bool = False) -> dict[str, Any]:
        """What run.json keeps of the data; `hidden` leaves file names out."""
        files = self.tally.files(hidden=True) if hidden else self.tally.formats
        return {
            "files": [{"path": path, "format": title} for path, title in files],
            "conversations": self.conversations,
            **({"unit": self.unit} if self.unit != "turns" else {}),
            "turns": self.turns(),
            "dropped": self.dropped(),
            "cut_turns": self.training.cut + self.held_out.cut,
            "speakers": dict(self.speakers.most_common()),
            "tokens": self.tokens,
            "learnt_tokens": self.learnt_tokens,
            "rows": len(self.rows),
            "held_out_rows": len(self.held_out_rows),
            "leak": self.leak,
            "rows_filled": round(share_filled(self.rows, self.max_tokens), 4),
            "fingerprint": self.fingerprint(),
            **({"canaries": [canary.to_dict() for canary in self.canaries]} if self.canaries else {}),
        }


def learnt_tokens(rows: Sequence[Row]) -> int:
    """How many tokens are learnt, at whatever weight."""
    return sum(weight > 0 for row in rows for sample in row for weight in sample.learn)


def text_bytes(sample: Sample, renderer: Renderer) -> int:
    """UTF-8 bytes of the learnt words of a sample.

    End tokens and other marks have none, nor has the space before a turn's first word: whether there is one depends on
    the style and the tokenizer.
    """
    learnt = zip(sample.ids, sample.learn)
    turns = groupby(learnt, lambda token: token[1] > 0 and token[0] != renderer.end_id)
    return sum(len(renderer.decode([id for id, _ in turn]).strip().encode()) for is_text, turn in turns if is_text)
