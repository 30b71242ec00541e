"""The settings of a chat, changed by name while it goes on."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import get_args

from wolf_chatbox.config import NextSpeaker, SamplingConfig
from wolf_chatbox.errors import ChatError, ConfigError
from wolf_chatbox.talk.session import ChatSession
from wolf_chatbox.words import Words

CLASSIC = {"temp": "temperature", "max_len_gen": "max_new_tokens"}
"""Settings by their names in dial_main.py."""
ORDERS: dict[str, NextSpeaker] = {order: order for order in get_args(NextSpeaker)}
SETTINGS = (*(field.name for field in fields(SamplingConfig)), "next")


def change(session: ChatSession, text: str, words: Words) -> str:
    """Change what a text such as `top_p=0.9 next=turn` says, all of it or nothing; returns all settings so written.

    Raises ChatError for a setting or a value that there is not.
    """
    pairs = [(name, value) for name, _, value in (pair.partition("=") for pair in text.split())]
    wanted = [value for name, value in pairs if name == "next"]
    for value in wanted:
        if value not in ORDERS:
            raise ChatError(words("terminal.errors.order", value=value, names=words("terminal.comma").join(ORDERS)))
    session.sampling = changed(session.sampling, [pair for pair in pairs if pair[0] != "next"], words)
    session.next = ORDERS[wanted[-1]] if wanted else session.next
    settings = asdict(session.sampling) | {"next": session.next}
    return " ".join(f"{name}={value}" for name, value in settings.items())


def changed(sampling: SamplingConfig, pairs: list[tuple[str, str]], words: Words) -> SamplingConfig:
    """The settings with some changed, by name and value; the names of dial_main.py work too."""
    known = {name: type(value) for name, value in asdict(sampling).items()}
    changes: dict[str, float] = {}
    for given, value in pairs:
        name = CLASSIC.get(given, given.replace("-", "_"))
        if name not in known:
            raise ChatError(
                words("terminal.errors.setting", name=repr(name), names=words("terminal.comma").join(SETTINGS))
            )
        try:
            changes[name] = known[name](value)
        except ValueError as error:
            raise ChatError(words("terminal.errors.number", name=name, value=value)) from error
    try:
        return sampling.changed(**changes)
    except ConfigError as error:
        raise ChatError(f"/set: {error}") from error
