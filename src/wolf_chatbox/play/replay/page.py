"""A replay as one HTML file: it needs no other file, no network and no server."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from wolf_chatbox.conversation import CHANNELS, Conversation
from wolf_chatbox.game import WEREWOLF
from wolf_chatbox.play.replay.frames import SHOWN, frames
from wolf_chatbox.visible import visible
from wolf_chatbox.werewolf.rules import HUMAN
from wolf_chatbox.words import Words, words_of

if TYPE_CHECKING:
    from jinja2 import Template


LABELS = ("players", "course", "suspicion", "about", "back", "play", "next", "step", "reveal")
SAID = ("day", "night", "claims", "no_suspicion", "play", "pause")
HAPPENS = (*(kind for kind in SHOWN if kind != "attack"), "killed", "saved", "quiet")
"""What is told in words of its own: an attack by how it went."""


def to_html(conversation: Conversation, language: str, title: str = "") -> str:
    """The replay of a game; its page speaks `language`, its players what they spoke."""
    game = conversation.game
    assert game is not None, "only a game can be replayed"
    words = words_of(language)
    title = title or visible(conversation.group) or words("werewolf.title")
    known: dict[str, str] = words.texts["werewolf"]["roles"]
    players = [
        {
            "name": player.name,
            "role": known.get(player.first_role, player.first_role.lower()),
            "wolf": player.first_role == WEREWOLF,
            "team": str(player.facts.get("team") or player.facts.get("connection") or ""),
        }
        for player in game.players
    ]
    form = {
        "players": players,
        "frames": [frame.to_dict() for frame in frames(conversation)],
        "words": _texts(words),
        "roles": known | {key: words(f"werewolf_replay.species.{key}") for key in (HUMAN, WEREWOLF)},
    }
    sides = words.texts["werewolf"]["sides"]
    winner = sides.get(game.winner, game.winner.lower())
    won = words("werewolf.won", side=winner) if game.winner else words("werewolf.nobody_won")
    labels = {label: words(f"werewolf_replay.{label}") for label in LABELS}
    return _template().render(title=title, language=words.language, labels=labels, data=form, won=won)


def _texts(words: Words) -> dict[str, Any]:
    """What the page's script says; it fills in names, where braces stand."""
    slots = {slot: f"{{{slot}}}" for slot in ("who", "target", "result", "text", "day", "role")}
    texts: dict[str, Any] = {key: words(f"werewolf_replay.{key}", **slots) for key in SAID}
    texts["channels"] = {key: words(f"werewolf_replay.channels.{key}") for key in CHANNELS if key}
    texts["events"] = {key: words(f"werewolf_replay.events.{key}", **slots) for key in HAPPENS}
    return texts


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    here = Environment(
        loader=PackageLoader("wolf_chatbox.play", "replay"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    here.policies["json.dumps_kwargs"] = {"ensure_ascii": False}  # a sign of Japanese would take six
    return here.get_template("replay.html")
