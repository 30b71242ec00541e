"""`wolf-chatbox serve`."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wolf_chatbox.cli.chat import untrained
from wolf_chatbox.cli.display import quiet_transformers
from wolf_chatbox.cli.pulse import waiting
from wolf_chatbox.config import ServeConfig
from wolf_chatbox.errors import ConfigError
from wolf_chatbox.screen import Screen
from wolf_chatbox.visible import Tell

if TYPE_CHECKING:
    from wolf_chatbox.talk.server.roster import Served

SHORTEST_KEY = 16
"""Characters of a key: one that can be guessed protects nothing."""


def serve(config: ServeConfig | None = None) -> int:
    """Offer trained models behind OpenAI's API, until Ctrl-C or SIGTERM."""
    config = config or ServeConfig()
    for run in config.runs:
        if run == "wolf_model" and not Path(run).exists():
            raise untrained("runs", run, "wolf-chatbox train --data FILE")
    check_packages(("fastapi", "uvicorn", "prometheus_client"), "serve", config.runs)
    from wolf_chatbox.talk.server.app import make_app
    from wolf_chatbox.talk.server.house import Limits
    from wolf_chatbox.talk.server.place import LOOPBACK, listen, url_of
    from wolf_chatbox.talk.server.roster import Roster
    from wolf_chatbox.talk.server.serving import serve as run_server

    keys, console = read_keys(config), Screen(stderr=True)
    local = check_key(config, keys)
    with listen(config.host, config.port) as place:
        roster = Roster(load(config, console))
        limits = Limits(config.max_body, config.max_prompt_tokens, config.max_reply_tokens, config.max_seconds)
        hosts = LOOPBACK | {config.host.strip("[]").lower()} if local else None
        app, house = make_app(roster, limits, keys=keys, hosts=hosts, origins=config.allow_origin)
        console.say(f"ready: {url_of(place)}/v1 · models: {', '.join(roster.by_name)} · Ctrl-C leaves")
        run_server(app, house, [place], config.grace, console.say)
    return 0


def load(config: ServeConfig, console: Screen) -> list[Served]:
    """The runs, each with an engine of its own."""
    from wolf_chatbox.talk.server.roster import run_names

    quiet_transformers()
    served = []
    for name, run, reverse in zip_longest(run_names(config.runs), config.runs, config.reverse_model):
        with waiting(console, f"Loading {name}"):
            served.append(open_run(config, name, run, reverse, lambda text: console.say(text, "dim")))
    return served


def open_run(
    config: ServeConfig,
    name: str,
    run: str,
    reverse: str | None = None,
    tell: Tell = lambda text: None,
    *,
    base: bool = False,
) -> Served:
    """A run, or its base model, with an engine and a gate of its own; raises what `load_character` raises."""
    from wolf_chatbox.model.character import load_character
    from wolf_chatbox.talk.server.gate import Gate
    from wolf_chatbox.talk.server.roster import Served

    settings: dict[str, Any] = {
        "engine": config.engine,
        "quantise": config.quantise,
        "slots": config.slots,
        "trust_remote_code": config.trust_remote_code,
        "allow_base": config.allow_base,
    }
    if base:
        from wolf_chatbox.evaluate.contestants import load_base
        from wolf_chatbox.model.record import read_run

        character = load_base(Path(run), read_run(Path(run)) or {}, tell=tell, **settings)
    else:
        character = load_character(run, **settings, reverse_model=reverse, tell=tell)
    written = int(Path(run).stat().st_mtime) if Path(run).exists() else 0
    voiced = replace(character, sampling=config.sampling(character.sampling))
    return Served(name, voiced, Gate(config.slots, config.queue), written)


def check_key(config: ServeConfig, keys: Sequence[str]) -> bool:
    """Whether only this machine reaches the server; raises ConfigError where others do, and need no key."""
    from wolf_chatbox.talk.server.place import is_loopback

    local = is_loopback(config.host)
    if not local and not keys:
        problem = "lets other machines in, which needs a key. Set WOLF_CHATBOX_API_KEY, or pass --api-key-file."
        raise ConfigError("host", config.host, problem)
    return local


def check_packages(names: Sequence[str], extra: str, runs: Sequence[str]) -> None:
    """Raise ConfigError where a package is not installed."""
    if missing := [name for name in names if find_spec(name) is None]:
        problem = f"needs {', '.join(missing)}. Install them: pip install 'wolf-chatbox[{extra}]'"
        raise ConfigError("runs", " ".join(runs), problem)


def read_keys(config: ServeConfig) -> list[str]:
    """The keys that clients may send; raises ConfigError for a file that others can read, or too short a key."""
    keys = [config.api_key] if config.api_key is not None else []
    if config.api_key_file:
        keys += secrets_of("api_key_file", config.api_key_file)
    for key in keys:
        if len(key) < SHORTEST_KEY or not key.isascii() or not key.isprintable() or " " in key:
            problem = f"needs {SHORTEST_KEY} or more ASCII characters, no spaces. Make one: openssl rand -hex 32"
            raise ConfigError("api_key", "(not shown)", problem)
    return keys


def secrets_of(setting: str, path: Path) -> list[str]:
    """The secrets of a file, one a line; raises ConfigError for a file that is empty, or that others can read."""
    try:
        mode = path.stat().st_mode
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(setting, path, f"cannot be read ({reason}). Name a file with one key a line.") from error
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise ConfigError(setting, path, f"others can read it. Close it: chmod 600 {path}")
    secrets = [line.strip() for line in lines if line.strip()]
    if not secrets:
        raise ConfigError(setting, path, "has no key. Write one a line.")
    return secrets
