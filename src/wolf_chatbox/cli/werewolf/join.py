"""`wolf-chatbox werewolf join`."""

from __future__ import annotations

from importlib.util import find_spec

from wolf_chatbox.cli.display import quiet_transformers
from wolf_chatbox.cli.pulse import waiting
from wolf_chatbox.errors import ConfigError
from wolf_chatbox.play.casting import Cast
from wolf_chatbox.play.protocol.joining import JoinConfig, Seats
from wolf_chatbox.screen import Screen


def join(config: JoinConfig | None = None) -> int:
    """Play at the tables of a server of the AIWolf NLP contest, or of `werewolf host`. A line is printed for each game.

    Each request is answered before the server's time is up, whatever the player does. Ctrl-C leaves all games.
    """
    config = config or JoinConfig()
    if find_spec("websockets") is None:
        problem = "needs websockets. Install it: pip install 'wolf-chatbox[werewolf]'"
        raise ConfigError("url", config.url, problem)
    screen, console = Screen(), Screen(stderr=True)
    quiet_transformers()
    cast = Cast(config.playing, lambda text: console.say(text, "dim"))
    with waiting(console, f"Loading {config.player}"):
        make = cast.make(config.player, "player")
    Seats(config, make, screen.say).play()
    return 0
