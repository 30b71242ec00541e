"""`make demo`: train the innkeeper of the bundled script, then chat with him.

Without a terminal three questions are asked instead. What is trained already is used again; --fresh trains anew.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from wolf_chatbox.cli import run
from wolf_chatbox.cli.chat import open_chat
from wolf_chatbox.cli.train import fine_tune
from wolf_chatbox.config import ChatConfig, TrainConfig
from wolf_chatbox.model.record import RUN_FILE
from wolf_chatbox.training.run_folder import RunFolder

FOLDER = Path("demo_model")
QUESTIONS = ("Good evening! Who are you?", "What is for supper tonight?", "Do you like the full moon?")


def demo(fresh: bool) -> int:
    unfinished = bool(RunFolder(FOLDER).states())
    if fresh or unfinished or not (FOLDER / RUN_FILE).exists():
        print("First the innkeeper Grimbold is trained (once), then you can talk with him.", flush=True)
        config = TrainConfig(
            data=("example",),
            model="smollm2-135m",
            persona="Grimbold",
            # The voice counts here, not the perplexity: learn all of the script, and keep the last pass.
            epochs=3,
            validation_share=0.0,
            output=FOLDER,
            resume=unfinished and not fresh,
            overwrite=fresh,
        )
        code = fine_tune(config, "make demo", "make demo")
        if code:
            return code
    if sys.stdin.isatty() and sys.stdout.isatty():
        return open_chat(ChatConfig(model=str(FOLDER)))
    from wolf_chatbox.talk.session import ChatSession

    session = ChatSession.load(FOLDER, seed=0)
    for question in QUESTIONS:
        print(f"{session.user}: {question}\n{session.persona}: {session.reply(question)}", flush=True)
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="train anew")
    arguments = parser.parse_args()
    sys.exit(run(lambda: demo(arguments.fresh), {}))
