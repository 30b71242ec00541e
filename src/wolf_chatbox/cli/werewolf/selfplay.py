"""`wolf-chatbox werewolf selfplay`."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

from wolf_chatbox.cli.pulse import waiting
from wolf_chatbox.cli.werewolf.tournament import gather
from wolf_chatbox.conversation import write_conversations
from wolf_chatbox.errors import ConfigError, DataError
from wolf_chatbox.files import check_place, new_file, remove
from wolf_chatbox.play.tournament.config import SelfplayConfig
from wolf_chatbox.screen import Screen


def selfplay(config: SelfplayConfig | None = None) -> None:
    """Let players play, and write their games as conversations: training data at once.

    Until all games are played they are kept beside the output; after Ctrl-C the same command goes on.
    """
    config = config or SelfplayConfig()
    if config.preferences is not None and config.table.talk != "turns":
        raise ConfigError("preferences", config.preferences, "needs talk in turns. Leave it out, or --talk anytime.")
    for file in (config.output, config.preferences):
        if file is not None:
            check_place(file, overwrite=config.overwrite)
    from wolf_chatbox.play.tournament.corpus import conversations

    console = Screen(stderr=True)
    folder = config.output.with_name(config.output.name + ".unfinished")
    outcomes = gather(config.order(), range(config.games), folder, console, workers=config.workers)
    with new_file(config.output, overwrite=config.overwrite) as out:
        count = write_conversations(conversations(outcomes, config.keep), out)
        if not count:
            raise DataError(f"{config.output}: nobody won any of {config.games} games. Play more, or use --keep all.")
    console.say(f"{count:,} games are in {config.output}.")
    remove(folder)
    if config.preferences is not None:
        prefer(config, console)


def prefer(config: SelfplayConfig, console: Screen) -> None:
    """Write choices between two lines, from what came of them."""
    from wolf_chatbox.play.tournament.forks import fork
    from wolf_chatbox.play.tournament.games import loaded
    from wolf_chatbox.play.tournament.league import THINKING, thinks

    assert config.preferences is not None
    order = config.order()
    cast = loaded(order, console.say)
    at_once = config.workers or THINKING if thinks(order) else 1
    with waiting(console, "playing on after two lines"), ThreadPoolExecutor(at_once) as pool:
        found = list(pool.map(lambda game: fork(order, game, cast, config.rollouts), range(config.games)))
    choices = [choice for choice in found if choice is not None]
    if not choices:
        problem = "no line did better than another one"
        raise DataError(f"{config.preferences}: {problem}. Play more games, or let a model play.")
    with new_file(config.preferences, overwrite=config.overwrite) as out:
        out.writelines(json.dumps(choice.to_dict(), ensure_ascii=False) + "\n" for choice in choices)
    console.say(f"{len(choices):,} choices of {config.games:,} games are in {config.preferences}.")
