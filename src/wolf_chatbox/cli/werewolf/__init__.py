"""`wolf-chatbox werewolf`: play the game, with people, with models, with the contest's agents."""

from __future__ import annotations

from cyclopts import App

from wolf_chatbox.cli import examples

app = App(
    name="werewolf",
    help="Play werewolf: with people, models, and the contest's agents.",
    help_epilogue=examples("wolf-chatbox werewolf play", "wolf-chatbox werewolf tournament rules random"),
)
app.command(
    "wolf_chatbox.cli.werewolf.play:play",
    help="Play yourself, with models and other players.",
    help_epilogue=examples(
        "wolf-chatbox werewolf play", "wolf-chatbox werewolf play --players 9 --language ja --seat-role seer"
    ),
)
app.command(
    "wolf_chatbox.cli.werewolf.tournament:tournament",
    help="Let players play many games, and tell how good they are.",
    help_epilogue=examples(
        "wolf-chatbox werewolf tournament rules random",
        "wolf-chatbox werewolf tournament model:wolf_model rules --html report.html",
    ),
)
app.command(
    "wolf_chatbox.cli.werewolf.selfplay:selfplay",
    help="Let players play, and write their games as training data.",
    help_epilogue=examples(
        "wolf-chatbox werewolf selfplay rules --games 1000 -o games.jsonl",
        "wolf-chatbox werewolf selfplay model:wolf_model --keep winners -o won.jsonl",
    ),
)
app.command(
    "wolf_chatbox.cli.werewolf.join:join",
    help="Play at the tables of a server of the AIWolf NLP contest.",
    help_epilogue=examples(
        "wolf-chatbox werewolf join ws://127.0.0.1:8080/ws --player rules --seats 5",
        "wolf-chatbox werewolf join ws://127.0.0.1:8080/ws --player model:wolf_model",
    ),
)
app.command(
    "wolf_chatbox.cli.werewolf.replay:replay",
    help="Make a page of a recorded game, with a timeline of suspicion.",
    help_epilogue=examples(
        "wolf-chatbox werewolf replay game.log",
        "wolf-chatbox werewolf replay games.jsonl --game 2 --output replay.html",
    ),
)
app.command(
    "wolf_chatbox.cli.werewolf.host:host",
    help="Lead games of agents that connect, as the contest's server does.",
    help_epilogue=examples(
        "wolf-chatbox werewolf host",
        "wolf-chatbox werewolf host --players 13 --with rules --agents 1 --games 10",
    ),
)
