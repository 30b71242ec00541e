"""The classic command line: `python dial_main.py` trains, `python dial_main.py --play` chats.

It has the settings of TrainConfig and ChatConfig, some of them under other names.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping
from inspect import Parameter as Argument
from inspect import Signature, signature
from pathlib import Path
from typing import Annotated, Any

sys.path.insert(0, str(Path(__file__).resolve().parent / "src"))  # a clone works without being installed

from cyclopts import App, Group, Parameter

from wolf_chatbox.cli import examples, run
from wolf_chatbox.config import ChatConfig, TrainConfig
from wolf_chatbox.errors import ConfigError, DataError
from wolf_chatbox.settings import annotated, build, declared, typed

DATA = "RickAndMortyScripts.csv"
NAMES = {
    "model": "initial_point",
    "output": "ptr_model_path",
    "max_tokens": "max_len_dial",
    "warmup_ratio": "wm_ratio",
    "validation_share": "test_size",
    "batch_size": "train_bz",
    "accumulate": "acc_step",
    "epochs": "epoch",
    "log_every": "log_step",
    "eval_every": "eval_step",
    "save_every": "save_step",
    "max_new_tokens": "max_len_gen",
    "temperature": "temp",
    "turns": "chat_turns",
}
"""The classic names of settings; the others keep their own."""
TRAIN, CHAT = declared(TrainConfig), declared(ChatConfig)
TRAIN["data"] = TRAIN["data"]._replace(default=(DATA,))
del CHAT["model"]  # --play reads the output folder
SETTINGS = TRAIN | CHAT | TRAIN  # in TRAIN's order, with TRAIN's declaration where both have one
FLAGS = {name: "--" + NAMES.get(name, name) for name in SETTINGS}
TALKING = Parameter(group=Group("Chat", sort_key=10))  # after the replies
PLAY = Parameter(help="Chat with the model in the output folder, instead of training.")

app = App(
    name="dial_main.py",
    help_epilogue=examples(
        "python dial_main.py --data example --persona Grimbold", "python dial_main.py --play --temp 0.7"
    ),
    default_parameter=Parameter(negative=(), consume_multiple=True, show_default=typed),
    version_flags=(),
    result_action="return_value",
    suppress_keyboard_interrupt=False,
)


def dial_main(*, play: Annotated[bool, TALKING, PLAY] = False, **given: Any) -> int:
    """Fine-tune a dialogue model on your conversations; with --play, chat with it."""
    folder = given.pop("output", TrainConfig.output)
    if play:
        settings = of_verb(CHAT, given, "is for training. Leave it out with --play.")
        from wolf_chatbox.cli.chat import open_chat, untrained

        if not folder.exists():
            raise untrained("output", folder, "python dial_main.py")
        return open_chat(build(ChatConfig, settings | {"model": str(folder)}))
    usual = {} if given.get("preferences") else {"data": (DATA,)}
    settings = usual | of_verb(TRAIN, given, "needs --play.") | {"output": folder}
    if settings.get("data") == (DATA,) and not Path(DATA).exists():
        raise DataError(
            f"{DATA}: not in this folder. Download it from Kaggle (andradaolteanu/rickmorty-scripts), "
            "name your own file with --data FILE, or try the bundled script: --data example."
        )
    from wolf_chatbox.cli.train import fine_tune

    where = "" if folder == TrainConfig.output else f" {FLAGS['output']} {folder}"
    return fine_tune(build(TrainConfig, settings), f"python dial_main.py --play{where}")


def of_verb(known: Collection[str], given: Mapping[str, Any], problem: str) -> dict[str, Any]:
    """The given settings that the verb has; ConfigError for any other, unless it has its default."""
    for name, value in given.items():
        if name not in known and value != SETTINGS[name].default:
            raise ConfigError(name, " ".join(value) if isinstance(value, tuple) else value, problem)
    return {name: value for name, value in given.items() if name in known}


def arguments() -> Iterator[Argument]:
    """The flags, as the signature that the command line is made of."""
    yield signature(dial_main).parameters["play"]
    for name, setting in SETTINGS.items():
        parts = [Parameter(name=FLAGS[name])]
        if name not in TRAIN:
            parts.append(TALKING)
        elif name in CHAT and CHAT[name].help != setting.help:
            chat = CHAT[name]
            text = f"{setting.help} With --play: {chat.help} [default with --play: {chat.shown_default}]"
            parts.append(Parameter(help=text))
        yield Argument(
            name, Argument.KEYWORD_ONLY, default=setting.default, annotation=annotated(setting.annotation, *parts)
        )


dial_main.__signature__ = Signature([*arguments()])  # type: ignore[attr-defined]
app.default(dial_main)

if __name__ == "__main__":
    sys.exit(run(lambda: app(exit_on_error=False, print_error=False), FLAGS))
