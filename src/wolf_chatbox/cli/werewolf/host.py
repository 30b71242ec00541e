"""`wolf-chatbox werewolf host`."""

from __future__ import annotations

import signal
from importlib.util import find_spec
from pathlib import Path

from wolf_chatbox.cli.display import quiet_transformers
from wolf_chatbox.cli.pulse import waiting
from wolf_chatbox.cli.serve import secrets_of
from wolf_chatbox.errors import ConfigError
from wolf_chatbox.play.casting import Cast, Make
from wolf_chatbox.play.log import NONE
from wolf_chatbox.play.protocol.config import HostConfig
from wolf_chatbox.play.protocol.token import SHORTEST, sign
from wolf_chatbox.screen import Screen
from wolf_chatbox.talk.server.place import is_loopback


def host(config: HostConfig | None = None) -> int:
    """Lead games of agents that connect over the network, until there were --games of them, or Ctrl-C."""
    config = config or HostConfig()
    if find_spec("websockets") is None:
        raise ConfigError("host", config.host, "needs websockets. Install it: pip install 'wolf-chatbox[werewolf]'")
    from wolf_chatbox.play.protocol.host import Host

    console = Screen(stderr=True)
    secret = secret_of(config.secret_file)
    if secret is None and not is_loopback(config.host):
        problem = "lets other machines in, which needs a secret for tokens. Pass --secret-file."
        raise ConfigError("host", config.host, problem)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C
    with Host(config, players_of(config, console), secret=secret, tell=console.say) as table:
        console.say(f"ready: {table.url} · agents a game: {config.seats} · games in {config.output} · Ctrl-C leaves")
        for team in config.invite if secret else ():
            console.say(f"token of team {team}: {sign(team, secret or '')}")
        try:
            table.wait()
        except KeyboardInterrupt:
            console.say("leaving: games that go on are written as far as they went")
    won = table.winners
    counts = "".join(f", {won.count(side)} won by {side if side != NONE else 'nobody'}" for side in sorted(set(won)))
    console.say(f"games: {len(won)}{counts}")
    return 0


def players_of(config: HostConfig, console: Screen) -> list[Make]:
    """What makes the players of this machine; their models are loaded once."""
    cast = Cast(config.minds, lambda text: console.say(text, "dim"))
    cast.check(config.fill, "with")
    quiet_transformers()
    with waiting(console, "Loading the players"):
        return [cast.make(name, "with") for name in config.fill]


def secret_of(path: Path | None) -> str | None:
    """The secret that signs tokens; raises ConfigError for a file that others can read, or one that can be guessed."""
    if path is None:
        return None
    secret = secrets_of("secret_file", path)[0]
    if len(secret) < SHORTEST:
        raise ConfigError("secret_file", path, f"needs {SHORTEST} or more characters. Make one: openssl rand -hex 32")
    return secret
