"""`wolf-chatbox werewolf play`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from wolf_chatbox.cli.display import quiet_transformers
from wolf_chatbox.cli.pulse import waiting
from wolf_chatbox.config import WebConfig
from wolf_chatbox.errors import ConfigError
from wolf_chatbox.play.casting import Cast
from wolf_chatbox.play.finished import prepare
from wolf_chatbox.play.players.human import HumanPlayer
from wolf_chatbox.play.seating import names_for, sit_down
from wolf_chatbox.play.terminal.config import PlayConfig
from wolf_chatbox.play.terminal.sitting import play_game
from wolf_chatbox.screen import Screen
from wolf_chatbox.words import words_of


def play(config: PlayConfig | None = None) -> int:
    """Play werewolf yourself, on the terminal; through a pipe, each input line is an answer."""
    config = config or PlayConfig()
    if config.page:
        return _on_the_page(config)
    console, notes = Screen(), Screen(stderr=True)
    words = words_of(config.table.language)
    cast = Cast(config.minds, lambda text: notes.say(text, "dim"))
    cast.check(config.fill, "with")
    human = HumanPlayer(seconds=config.thinking_time)
    name = config.name or names_for(1, config.table.language, config.seed)[0]
    wishes = {} if config.seat_role == "any" else {name: config.seat_role.upper()}
    folder = config.home.expanduser() / "werewolf"
    quiet_transformers()
    with waiting(notes, words("werewolf_terminal.loading")):
        make = partial(cast.make, setting="with")
        sitting = sit_down(config.table, {name: human}, config.fill, make, config.seed, wishes)
    prepare(folder)  # a game that could not be saved is not begun
    play_game(sitting, human, console, folder, config.pace)
    return 0


def _on_the_page(config: PlayConfig) -> int:
    """Open the page at its usual port, or at any other where somebody has that."""
    from wolf_chatbox.cli.web import open_page
    from wolf_chatbox.talk.server.place import listen

    web = WebConfig(home=config.home)
    try:
        listen(web.host, web.port).close()
    except ConfigError:
        web = replace(web, port=0)
    return open_page(web, "/werewolf")
