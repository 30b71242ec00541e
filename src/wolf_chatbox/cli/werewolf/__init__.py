"""`wolf-chatbox werewolf`: play the game, with people, with models, with the contest's agents."""

from __future__ import annotations

from cyclopts import App

from wolf_chatbox.cli import examples

app = App(
    name="werewolf",
    help="Play werewolf: with people, models, and the contest's agents.",
    help_epilogue=examples("wolf-chatbox werewolf play", "wolf-chatbox werewolf tournament rules random"),
)
