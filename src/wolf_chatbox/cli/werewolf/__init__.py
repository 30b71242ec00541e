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
