"""The command line: one file a verb. A known error becomes one line and exit code 1, or 2 for a wrong setting.

Exit code 3 means: done, but some files of a folder or an archive could not be read completely.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import yaml
from cyclopts import App, CycloptsError, Parameter
from cyclopts.config import Dict

from wolf_chatbox.cli.environment import settle
from wolf_chatbox.errors import ConfigError, DataError, WolfChatboxError
from wolf_chatbox.settings import typed
from wolf_chatbox.visible import VisibleStream

READ_IN_PART = 3


def examples(*commands: str) -> str:
    """What the help of a verb ends with (Markdown): commands that work."""
    return "  \n".join(("**Examples**", *(command.replace("_", "\\_") for command in commands)))


def plain_examples(epilogue: object) -> list[str]:
    """The commands again."""
    return [line.strip().replace("\\_", "_") for line in str(epilogue or "").splitlines()[1:]]


app = App(
    name="wolf-chatbox",
    help="Fine-tune a dialogue model on your own conversations, and talk with it.",
    help_epilogue=examples("wolf-chatbox train --data example --persona Grimbold", "wolf-chatbox chat"),
    version=lambda: version("wolf_chatbox"),
    result_action="return_value",
    suppress_keyboard_interrupt=False,
    default_parameter=Parameter(negative=(), consume_multiple=True, show_default=typed),
)
app.command(
    "wolf_chatbox.cli.train:train",
    help="Fine-tune a base model on conversations.",
    help_epilogue=examples(
        "wolf-chatbox train --data chat.txt --persona Ann --output ann",
        "wolf-chatbox train --data example --model smollm2-135m --dry-run",
    ),
)
app.command(
    "wolf_chatbox.cli.sweep:sweep",
    help="Search for the best settings of train.",
    help_epilogue=examples("wolf-chatbox sweep sweep.yaml", "wolf-chatbox sweep rick.yaml"),
)
app.command(
    "wolf_chatbox.cli.merge:merge",
    help="Merge a LoRA adapter into its base model.",
    help_epilogue=examples(
        "wolf-chatbox merge my_adapter --output my_model", "wolf-chatbox merge my_adapter -o my_model --allow-base"
    ),
)
app.command(
    "wolf_chatbox.cli.evaluate:evaluate",
    help="Measure how good trained characters are.",
    help_epilogue=examples(
        "wolf-chatbox evaluate wolf_model --quick", "wolf-chatbox evaluate ann bob --html report.html --vote"
    ),
)
app.command("wolf_chatbox.cli.runs:app", name="runs", help="List trained models, and show their curves and scorecards.")
app.command(
    "wolf_chatbox.cli.export:export",
    help="Export a trained model: GGUF, ONNX, a character card, the hub.",
    help_epilogue=examples(
        "wolf-chatbox export wolf_model --to gguf --quantise q4_k",
        "wolf-chatbox export wolf_model --to card --persona Grimbold",
    ),
)
app.command(
    "wolf_chatbox.cli.chat:chat",
    help="Chat with a trained model.",
    help_epilogue=examples(
        "wolf-chatbox chat --model wolf_model --persona Grimbold",
        "wolf-chatbox chat --model smollm2-135m --temperature 0.7",
    ),
)
app.command(
    "wolf_chatbox.cli.web:web",
    help="Open the page: make characters, and talk with them.",
    help_epilogue=examples("wolf-chatbox web", "wolf-chatbox web wolf_model --port 8081 --no-browser"),
)
app.command(
    "wolf_chatbox.cli.serve:serve",
    help="Offer trained models behind OpenAI's API.",
    help_epilogue=examples(
        "wolf-chatbox serve wolf_model", "wolf-chatbox serve ann bob --host 0.0.0.0 --api-key-file keys.txt"
    ),
)
app.command(
    "wolf_chatbox.cli.data:app",
    name="data",
    help="Inspect, clean and convert conversations; download public data sets.",
)
app.command("wolf_chatbox.cli.models:app", name="models", help="List and download base models.")
app.command(
    "wolf_chatbox.cli.werewolf:app",
    name="werewolf",
    help="Play werewolf: with people, models, and the contest's agents.",
)
app.register_install_completion_command()


app.meta.suppress_keyboard_interrupt = False


@app.meta.default
def _launch(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    config: Annotated[Path | None, Parameter(help="Read settings from a YAML file; flags override them.")] = None,
) -> Any:
    if config is not None:
        app.config = (_settings(config, tokens),)
    return app(tokens, exit_on_error=False, print_error=False)


def _settings(path: Path, tokens: tuple[str, ...]) -> Dict:
    """The settings of a YAML file, for the verb that is called."""
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}). Pass a YAML file with settings.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path}: not valid YAML ({' '.join(str(error).split())}). Write lines such as epochs: 3."
        ) from error
    if not isinstance(settings, dict):
        raise DataError(f"{path}: contains no settings. Write lines such as epochs: 3.")
    for verb in reversed(app.parse_commands(tokens)[0]):
        settings = {verb: settings}
    return Dict(settings, source=str(path))


def main() -> None:
    """The entry point of `wolf-chatbox`."""
    sys.exit(run(lambda: app.meta(exit_on_error=False, print_error=False), {}))


def run(command: Callable[[], Any], flags: Mapping[str, str]) -> int:
    """Run a command, print a known error as one line on stderr, and return the exit code.

    `flags` maps settings to the flags of this command line, for errors that name them. From here on, terminal escape
    sequences in texts (and in tracebacks) are shown, not obeyed; output to a pipe is unchanged.
    """
    settle()
    sys.stderr = VisibleStream(sys.stderr)
    if sys.stdout.isatty():
        sys.stdout = VisibleStream(sys.stdout)

    def fail(text: str, code: int) -> int:
        print("error: " + text.replace("\n", "␊"), file=sys.stderr)  # one line, whatever name is in it
        return code

    try:
        return int(command() or 0)
    except CycloptsError as error:
        # A dataclass that refuses a flag's value reaches us as the cause of cyclopts' own error.
        cause = error.__cause__
        return fail(cause.line(flags) if isinstance(cause, ConfigError) else " ".join(str(error).split()), 2)
    except WolfChatboxError as error:
        return fail(error.line(flags), 2 if isinstance(error, ConfigError) else 1)
    except KeyboardInterrupt:
        return fail("stopped.", 130)
    except BrokenPipeError:
        sys.stderr.close()
        return 0
