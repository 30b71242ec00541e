"""A game of werewolf as scenes: what each player heard and was told, day by day, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from wolf_chatbox.conversation import Conversation
from wolf_chatbox.game import Game
from wolf_chatbox.scene import Scene
from wolf_chatbox.werewolf.observer import Observer


def view(conversation: Conversation, kind: str, persona: str | None = None) -> list[Scene]:
    """The scenes of a game from which something is learnt; each turn of a learner is learnt in exactly one.

    `player` gives each player's days as that player saw them, `player:ROLE` only those of players with this role.
    `moderator` gives the whole game, day by day, in which every player is learnt. With a persona only the player of
    that name is learnt.
    """
    assert conversation.game is not None
    learners = learners_of(conversation.game, kind, persona)
    if kind == "moderator":
        scenes = [replace(scene, learners=learners) for scene in watch(conversation, None)]
    else:
        names = [player.name for player in conversation.game.players if player.name in learners]
        scenes = [scene for name in names for scene in watch(conversation, name)]
    return [scene for scene in scenes if scene.learners and scene.speakers() & scene.learners]


def learners_of(game: Game, kind: str, persona: str | None = None) -> frozenset[str]:
    """The players whose turns are learnt in the views of this kind; never those who are context alone."""
    role = kind.partition(":")[2].upper()
    learnt = (player for player in game.players if not player.context)
    names = frozenset(player.name for player in learnt if not role or player.first_role == role)
    return names if persona is None else names & {persona}


def watch(conversation: Conversation, name: str | None) -> Iterator[Scene]:
    """The days of a game, also of an unfinished one, as this player sees them; None is the moderator, who sees all.

    The last scene is the present: it is what the player answers from.
    """
    assert conversation.game is not None
    observer = Observer(conversation, conversation.game, name)
    yield from _days(conversation, observer)
    yield observer.scene()


def present(conversation: Conversation, name: str | None, channel: str | None = None) -> Scene:
    """The last scene of a running game; the player is to say something that this channel hears, or nothing."""
    assert conversation.game is not None
    observer = Observer(conversation, conversation.game, name)
    for _ in _days(conversation, observer):
        pass
    if channel is not None:
        observer.turn_to(channel)
    return observer.scene()


def _days(conversation: Conversation, observer: Observer) -> Iterator[Scene]:
    """Run a game past an observer; yields the days that are over."""
    assert conversation.game is not None
    events = iter(conversation.game.events)
    event = next(events, None)
    for place, turn in enumerate(conversation.turns):
        while event is not None and event.at <= place:
            yield from observer.witness(event)
            event = next(events, None)
        observer.hear(place, turn)
    while event is not None:
        yield from observer.witness(event)
        event = next(events, None)
