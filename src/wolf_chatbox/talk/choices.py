"""The choices between replies that a chat holds."""

from __future__ import annotations

from collections.abc import Iterator

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Turn
from wolf_chatbox.data.preferences import Preference
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.talk.saved import read_trees
from wolf_chatbox.talk.tree import Tree


def saved_choices(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Preference]:
    """The choices of a file of saved chats, for `read_choices`; raises DataError where one is damaged."""
    return (choice for tree in read_trees(source) for choice in choices(tree))


def choices(tree: Tree) -> Iterator[Preference]:
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
