"""`wolf-chatbox werewolf replay`."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.errors import DataError
from wolf_chatbox.files import new_file
from wolf_chatbox.play.replay.config import ReplayConfig
from wolf_chatbox.screen import Screen


def replay(config: ReplayConfig) -> int:
    """Make a page of a recorded game, with a timeline of suspicion. It is one file, to be opened in any browser."""
    from wolf_chatbox.importers.reading import read_conversations
    from wolf_chatbox.play.replay.page import to_html

    games = (
        found for found in read_conversations(config.log, ReadConfig(format=config.format)) if found.game is not None
    )
    game = next(islice(games, config.game - 1, None), None)
    if game is None or game.game is None:
        problem = "holds no game of werewolf" if config.game == 1 else f"holds fewer than {config.game} games"
        raise DataError(f"{config.log}: {problem}. Pass a log of one, or games.jsonl.")
    output = config.output or Path(Path(config.log).stem + ".html")
    language = config.language or game.game.language
    with new_file(output, overwrite=config.overwrite) as file:
        file.write(to_html(game, language))
    Screen().say(f"The replay is in {output}. Open it in a browser.")
    return 0
