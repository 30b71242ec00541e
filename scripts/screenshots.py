#!/usr/bin/env python3
"""Take the pictures of the documentation from the real program: `make screenshots`, after `make demo`.

The program runs on a pseudo-terminal, whose last screen becomes an SVG. The replies are the demo model's own.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from io import StringIO
from itertools import groupby
from pathlib import Path

import pexpect
import pyte
from rich.console import Console
from rich.style import Style
from rich.text import Text

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
PROGRAM = str(Path(sys.executable).with_name("wolf-chatbox"))
COLUMNS = 84
PROMPT = re.escape("\x1b[?2004h")  # the line editor begins to read by asking for bracketed paste
# pyte names colours its own way.
COLOURS = {"brown": "yellow", "brightblack": "bright_black", "brightbrown": "bright_yellow"}


def run(arguments: list[str], messages: list[str], rows: int) -> pyte.Screen:
    """Run wolf-chatbox on a terminal of `rows` lines and type the messages, each once the program waits for one."""
    screen = pyte.Screen(COLUMNS, rows)
    stream = pyte.Stream(screen)
    with tempfile.TemporaryDirectory() as state:
        settings = {"TERM": "xterm-256color", "XDG_STATE_HOME": state, "PROMPT_TOOLKIT_NO_CPR": "1"}
        child = pexpect.spawn(
            PROGRAM,
            arguments,
            encoding="utf-8",
            timeout=60,
            dimensions=(rows, COLUMNS),
            env={**os.environ, **settings},
            cwd=str(ROOT),
        )

        def until(pattern: object) -> None:
            child.expect(pattern)
            stream.feed(_seen(child.before + (child.after if isinstance(child.after, str) else "")))

        for message in messages:
            until(PROMPT)
            child.send(f"{message}\r")
        if messages:
            until(PROMPT)
            child.sendeof()
        until(pexpect.EOF)
    return screen


def _seen(output: str) -> str:
    """pyte knows no faint text: grey stands for it."""
    return output.replace("\x1b[2m", "\x1b[90m").replace("\x1b[2;", "\x1b[90;")


def svg(screen: pyte.Screen, title: str) -> str:
    """The terminal as a picture that asks no other host for a font."""
    lines = [_line(screen, row) for row in range(screen.lines)]
    while lines and not lines[-1].plain.strip():
        lines.pop()
    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True, color_system="truecolor")
    for line in lines:
        console.print(line, soft_wrap=True)
    picture = console.export_svg(title=title)
    picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)
    return picture.replace("Fira Code, monospace", "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace")


def _line(screen: pyte.Screen, row: int) -> Text:
    cells = (screen.buffer[row][column] for column in range(COLUMNS))
    text = Text()
    for style, alike in groupby(cells, key=_style):
        text.append("".join(cell.data for cell in alike), style)
    text.rstrip()
    return text


def _style(cell: pyte.screens.Char) -> Style:
    colour = COLOURS.get(cell.fg, f"#{cell.fg}" if re.fullmatch(r"[0-9a-f]{6}", cell.fg) else cell.fg)
    return Style(color=None if colour == "default" else colour, bold=cell.bold, italic=cell.italics)


def main() -> int:
    if not (ROOT / "demo_model" / "run.json").exists():
        print("error: demo_model: there is no trained model. Train it first: make demo", file=sys.stderr)
        return 1
    IMAGES.mkdir(exist_ok=True)
    chat = ["chat", "--model", "demo_model", "--seed", "2"]
    questions = ["Good evening! Who are you?", "What is for supper tonight?", "Do you like the full moon?", "/retry"]
    (IMAGES / "chat.svg").write_text(
        svg(run(chat, questions, 30), "wolf-chatbox chat --model demo_model"), encoding="utf-8"
    )
    inspect = ["data", "inspect", "examples/innkeeper_chat.txt"]
    title = f"wolf-chatbox {' '.join(inspect)}"
    (IMAGES / "inspect.svg").write_text(svg(run(inspect, [], 60), title), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
