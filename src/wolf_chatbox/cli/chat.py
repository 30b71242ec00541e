"""`wolf-chatbox chat`."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

from prompt_toolkit.application import create_app_session

from wolf_chatbox.cli.display import quiet_transformers
from wolf_chatbox.cli.pulse import waiting
from wolf_chatbox.config import ChatConfig, SamplingConfig
from wolf_chatbox.errors import ConfigError
from wolf_chatbox.files import writing
from wolf_chatbox.screen import Screen
from wolf_chatbox.visible import Tell, behind
from wolf_chatbox.words import preferred, words_of

if TYPE_CHECKING:
    from wolf_chatbox.model.character import Character
    from wolf_chatbox.talk.comparison import Rivals
    from wolf_chatbox.talk.session import ChatSession

LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG")
"""The variables that say which language messages have, the strongest first (POSIX, 8.2)."""


def chat(config: ChatConfig | None = None) -> int:
    """Chat with a trained model; through a pipe, each input line is a message and each reply one line."""
    config = config or ChatConfig()
    if config.model == ChatConfig.model and not Path(config.model).exists():
        raise untrained("model", config.model, "wolf-chatbox train --data FILE")
    return open_chat(config)


def untrained(setting: str, folder: object, command: str) -> ConfigError:
    """The error when there is no trained model yet, with the command that trains one."""
    return ConfigError(setting, folder, f"no trained model here. Train one first: {command}")


def open_chat(config: ChatConfig) -> int:
    """Load the model and chat, on a terminal or through a pipe."""
    from wolf_chatbox.model.hub import locate
    from wolf_chatbox.model.record import read_run

    console = Screen(stderr=True)
    words = words_of(preferred(next(filter(None, map(os.environ.get, LOCALE)), "")))

    def tell(text: str) -> None:
        console.say(text, "dim")

    with waiting(console, words("terminal.loading")):
        folder = locate(config.model, tell)
        saved = read_run(folder)
        quiet_transformers()
        from wolf_chatbox.talk.editor import make_output
        from wolf_chatbox.talk.pipe import answer_lines
        from wolf_chatbox.talk.session import ChatSession
        from wolf_chatbox.talk.shelf import Shelf
        from wolf_chatbox.talk.terminal import talk

        session = ChatSession.load(
            folder,
            persona=config.persona,
            user=config.user,
            seed=config.seed,
            engine=config.engine,
            quantise=config.quantise,
            slots=max(4, config.sampling(SamplingConfig()).best_of),
            trust_remote_code=config.trust_remote_code,
            allow_base=config.allow_base,
            reverse_model=config.reverse_model,
            tell=tell,
        )
        session.sampling = config.sampling(session.sampling)
        prepare(session, config, tell)
    if saved and not saved.get("finished", True):
        console.say(words("terminal.interrupted"), "yellow")
    run = run_name(config.model, folder)
    shelf, rivals = Shelf(config.home, run), rivals_of(config, run, tell)
    for stream in (sys.stdin, behind(sys.stdout), behind(sys.stderr)):
        if isinstance(stream, TextIOWrapper):  # invalid bytes reach the session, which refuses them
            stream.reconfigure(errors="surrogateescape" if stream is sys.stdin else "backslashreplace")
    try:
        if sys.stdin.isatty() and sys.stdout.isatty():
            with create_app_session(output=make_output(behind(sys.stdout))):
                talk(session, config.turns, words=words, shelf=shelf, rivals=rivals)
            return 0
        return 0 if answer_lines(session, sys.stdin, sys.stdout, config.turns, words=words, shelf=shelf) else 1
    finally:
        session.keep()


def run_name(model: str, folder: Path) -> str:
    """What a model is called in votes and lists: as its folder, or as it is named where that is in a cache."""
    return folder.resolve().name if Path(model).expanduser().is_dir() else Path(model).name


def rivals_of(config: ChatConfig, own: str, tell: Tell) -> Rivals:
    """The runs that /compare loads, with this chat's engine, and the file of its votes."""
    from wolf_chatbox.talk.comparison import Ballot, Better, Rivals

    def load(run: str) -> tuple[str, Character]:
        from wolf_chatbox.model.character import load_character
        from wolf_chatbox.model.hub import locate

        folder = locate(run, tell)
        rival = load_character(
            folder,
            engine=config.engine,
            quantise=config.quantise,
            slots=1,
            trust_remote_code=config.trust_remote_code,
            allow_base=config.allow_base,
            tell=tell,
        )
        return run_name(run, folder), rival

    def keep(ballot: Ballot, better: Better) -> Path:
        from wolf_chatbox.evaluate.judging.pairs import Pair, Reply
        from wolf_chatbox.evaluate.judging.votes import Vote, add_vote

        place = config.home / "votes" / "terminal.jsonl"
        with writing(place):
            place.parent.expanduser().mkdir(parents=True, exist_ok=True, mode=0o700)
        pair = Pair(ballot.context, ballot.speaker, Reply(*ballot.first), Reply(*ballot.second))
        add_vote(place.expanduser(), Vote(pair, better, ""))
        return place

    return Rivals(own, load, keep)


def prepare(session: ChatSession, config: ChatConfig, tell: Tell) -> None:
    """Let those be present who are invited, and remember if that is asked for; raises what `invite` raises."""
    from wolf_chatbox.talk.memory import Memory
    from wolf_chatbox.talk.recollection import Recollection

    for name in config.invite:
        session.invite(name)
    session.next = config.next
    if config.remember:
        session.recollection = Recollection(Memory(tell=tell))
