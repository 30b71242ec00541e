"""`wolf-chatbox data`: inspect, clean, convert and download conversations."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from wolf_chatbox.cli import READ_IN_PART, examples
from wolf_chatbox.config import CleanConfig, Form, ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.cleaning import clean, publishable
from wolf_chatbox.data.export import export
from wolf_chatbox.data.privacy.pseudonyms import name_now
from wolf_chatbox.data.split import count_speakers, find_speaker
from wolf_chatbox.data.tally import Tally, listed
from wolf_chatbox.errors import ConfigError, DataError
from wolf_chatbox.files import check_place, new_file
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.visible import counted

app = App(
    name="data",
    help="Inspect, clean and convert conversations; download public data sets.",
    help_epilogue=examples("wolf-chatbox data inspect chat.txt", "wolf-chatbox data convert chat.txt -o chat.jsonl"),
)
app.command(
    "wolf_chatbox.cli.inspect:inspect",
    help="Show statistics, samples and warnings.",
    help_epilogue=examples(
        "wolf-chatbox data inspect chat.txt --html report.html",
        "wolf-chatbox data inspect example --model smollm2-135m --persona Grimbold",
    ),
)
app.command(
    "wolf_chatbox.cli.card:card",
    help="Write a character card of a trained persona.",
    help_epilogue=examples(
        "wolf-chatbox data card wolf_model -o card.png",
        "wolf-chatbox data card wolf_model -o card.json --version 2 --persona Grimbold",
    ),
)
app.command(
    "wolf_chatbox.cli.preferences:preferences",
    help="Write the choices between replies that files hold.",
    help_epilogue=examples(
        "wolf-chatbox data preferences chat.jsonl -o choices.jsonl",
        "wolf-chatbox data preferences hh.jsonl chat.jsonl -o choices.jsonl --overwrite",
    ),
)
app.command(
    "wolf_chatbox.cli.formats:formats",
    help="List the formats that are read.",
    help_epilogue=examples("wolf-chatbox data formats", "wolf-chatbox data formats --json"),
)
app.command(
    "wolf_chatbox.cli.sets:list_sets",
    name="list",
    help="List public data sets.",
    help_epilogue=examples("wolf-chatbox data list", "wolf-chatbox data list --json"),
)
app.command(
    "wolf_chatbox.cli.sets:get",
    help="Download public data sets and convert them.",
    help_epilogue=examples(
        "wolf-chatbox data get aiwolf-nlp", "wolf-chatbox data get aiwolf-nlp llmafia --output games.jsonl --overwrite"
    ),
)
app.command(
    "wolf_chatbox.cli.sets:werewolf",
    help="Build one corpus of public werewolf games, with a datasheet.",
    help_epilogue=examples("wolf-chatbox data werewolf", "wolf-chatbox data werewolf aiwolf-nlp llmafia -o games"),
)


@app.command(
    help_epilogue=examples(
        "wolf-chatbox data convert chat.txt -o chat.jsonl --scrub",
        "wolf-chatbox data convert example -o keeper.json --to openai --persona Grimbold",
    )
)
def convert(
    files: Annotated[tuple[str, ...], Parameter(required=True, consume_multiple=True)],
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    to: Form = "conversations",
    persona: str | None = None,
    report: Path | None = None,
    read: ReadConfig | None = None,
    cleaning: CleanConfig | None = None,
    overwrite: bool = False,
) -> int:
    """Convert files of any known format to one file of conversations.

    Exit code 3 means that the output is written, but some input files could not be read completely.

    Parameters
    ----------
    files
        Files, folders or archives of conversations; `example` and `example-ja` are bundled scripts.
    output
        Output file.
    to
        Output format: conversations (our own JSON Lines, lossless), or openai, sharegpt, raw for other programs.
    persona
        The speaker who becomes the assistant in openai and sharegpt; without it, only a speaker named `assistant`.
    report
        Write a JSON report to this file: turns read, kept, joined, dropped (by reason) and replaced.
    overwrite
        Replace existing output and report files.
    """
    if report is not None:
        check_place(report, overwrite=overwrite)
        if report.resolve() == output.resolve():
            raise ConfigError("report", report, "is also the output. Choose another file name.")
    cleaning = cleaning or CleanConfig()
    tally = Tally()
    with new_file(output, overwrite=overwrite) as file:
        conversations: Iterable[Conversation] = clean(read_conversations(files, read, tally), cleaning, tally)
        if persona is not None:
            conversations = list(conversations)
            persona = find_speaker(name_now(persona, cleaning.pseudonyms) or "", count_speakers(conversations))
        count, turns = export(publishable(conversations, cleaning), to, file, persona)
        if turns != tally.kept:
            lost = f"{turns} of {tally.kept} turns exported"
            raise DataError(f"{', '.join(files)}: {lost}. This is a bug, please report it; nothing was written.")
        if not turns:
            account(tally)
            raise tally.nothing_in(files)
    if report is not None:
        with new_file(report, overwrite=overwrite) as file:
            file.write(json.dumps(tally.record(hidden=cleaning.protects), ensure_ascii=False, indent=1) + "\n")
    account(tally)
    print(f"{counted(count, 'conversation')} in {output}", file=sys.stderr)
    return READ_IN_PART if tally.unread else 0


def account(tally: Tally) -> None:
    """Print the account of all turns: read, kept, joined, dropped, replaced."""
    for line in listed(tally.files()):
        print(line, file=sys.stderr)
    for note in tally.notices():
        print(f"note: {note}", file=sys.stderr)
    joined = f" + {tally.joined} joined to the turn before" if tally.joined else ""
    print(
        f"{counted(tally.read, 'turn')} read = {tally.kept} kept{joined} + {sum(tally.dropped.values())} dropped",
        file=sys.stderr,
    )
    for reason, number in tally.dropped.items():
        print(f"  dropped: {number} ({reason})", file=sys.stderr)
    for kind, number in tally.changed.items():
        if number:
            print(f"  replaced: {number} ({kind})", file=sys.stderr)
