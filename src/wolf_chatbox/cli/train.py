"""`wolf-chatbox train`."""

from __future__ import annotations

import os

from wolf_chatbox.cli.display import Display, quiet_transformers
from wolf_chatbox.cli.pulse import waiting
from wolf_chatbox.config import TrainConfig
from wolf_chatbox.screen import Screen, painted


def train(config: TrainConfig | None = None) -> int:
    """Fine-tune a base model on conversations.

    Ctrl-C stops after the current update and keeps a usable model; --resume continues from there.
    """
    config = config or TrainConfig()  # which says what is missing
    if config.reverse:
        return fine_tune(config, f"wolf-chatbox chat --model RUN --best-of 8 --reverse-model {config.output}")
    return fine_tune(config, f"wolf-chatbox chat --model {config.output}")


def fine_tune(config: TrainConfig, chat_command: str, resume_command: str = "the same command with --resume") -> int:
    """Train and show the progress; the commands are what to type next, when the run ends or is stopped."""
    console = Screen(quiet=os.environ.get("RANK", "0") != "0")  # only one process prints
    with waiting(console, "Loading the libraries"):
        quiet_transformers()
        from wolf_chatbox.training import loop
    with Display(console, config, resume_command) as display:
        result = loop.train(config, display.tell)
    if result.interrupted:
        said = painted(
            ("Stopped. ", ""),
            (str(config.output), "bold"),
            (f" holds a usable model; {resume_command} continues the run.", ""),
        )
        console.print(said, soft_wrap=not console.is_terminal)
        return 130
    if config.dry_run:
        return 0
    console.print(
        painted(
            ("The model is in ", ""), (str(config.output), "bold"), (". Chat with it: ", ""), (chat_command, "bold")
        )
    )
    return 0
