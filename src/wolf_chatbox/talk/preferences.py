"""Choices between replies, out of chats: which one a person went on with, and which ones were drawn and passed over."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import NamedTuple, TextIO

from wolf_chatbox.conversation import Turn
from wolf_chatbox.data.export import role_of
from wolf_chatbox.talk.tree import Tree


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


def preferences(tree: Tree) -> Iterator[Preference]:
    """The choices of a chat: at each place where a model's reply was passed over for another of the same speaker.

    A reply is chosen when the chat went on after it, when a person wrote or edited it, or went back to it from a later
    one. What was stopped or cut is neither chosen nor rejected, and a reply is not rejected for a longer form of it.
    """
    branches = tree.branches()
    for after, numbers in branches.items():
        taken = tree.taken[after]
        chosen = tree.messages[taken]
        if chosen.cut or (chosen.drawn and taken == numbers[-1] and taken not in branches):
            continue
        context = tree.heard_by(chosen.speaker, after)
        for other in (tree.messages[number] for number in numbers):
            passed_over = other.drawn and not other.cut and other.speaker == chosen.speaker
            if passed_over and not chosen.text.startswith(other.text):
                yield Preference(context, Turn(chosen.speaker, chosen.text), Turn(other.speaker, other.text))


def write_preferences(trees: Iterable[Tree], file: TextIO) -> int:
    """Write JSON Lines, one preference a line; returns their number."""
    count = 0
    for tree in trees:
        for preference in preferences(tree):
            file.write(json.dumps(preference.to_dict(), ensure_ascii=False) + "\n")
            count += 1
    return count
