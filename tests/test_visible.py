"""Control characters from data, models or file names are shown, never obeyed, by every command on a real terminal."""

from __future__ import annotations

import ast
import io
import json
import os
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.progress import Progress, TextColumn
from rich.table import Table

from conftest import ROOT
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.samples.inspection import inspect
from wolf_chatbox.samples.report import to_html
from wolf_chatbox.screen import Screen, painted
from wolf_chatbox.visible import VisibleStream, behind, visible_json

EVIL = "\x1b]52;c;aGk=\x07\x1b[2J\x9b31m\u202e\x7f\x08\rFAKE[link=http://a.b]x[/][/"
SHOWN = "␛]52;c;aGk=␇␛[2J[U+009B]31m[U+202E]␡␈␍FAKE[link=http://a.b]x[/][/"
NAME = EVIL.replace("/", "")
"""What a file may be called."""
OBEYED = re.compile(
    r"\x1b\]|\x1b\[2J|\rFAKE|[\x00-\x07\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)
"""What neither rich nor prompt_toolkit writes, and hostile text does."""
OWN = re.compile(r"\x1b\[[0-9;]*m")
"""What rich writes to style a text."""


# The two ways out


@given(st.text())
def test_a_stream_shows_whatever_is_written(text: str) -> None:
    out = io.StringIO()
    stream: Any = VisibleStream(VisibleStream(out))  # type: ignore[arg-type]
    print(text, file=stream, end="")
    stream.writelines([text])
    assert not OBEYED.search(out.getvalue())
    assert "\x1b" not in out.getvalue()
    assert out.getvalue().isprintable() or not text.isprintable()
    assert behind(stream) is out


@settings(max_examples=25)
@given(st.text(), st.booleans())
def test_a_screen_shows_whatever_is_rendered(text: str, terminal: bool) -> None:
    for hostile in (text, EVIL + text):
        out = io.StringIO()
        screen = Screen(file=out, force_terminal=terminal, color_system="truecolor" if terminal else None, width=1000)
        screen.say(hostile, "bold")
        screen.print(hostile, painted((hostile, "green")), f"{hostile}!")
        table = Table(hostile, title=hostile, caption=hostile)
        table.add_row(hostile)
        screen.print(table)
        screen.rule(hostile)
        screen.log(hostile)
        with Progress(
            TextColumn("{task.description}", markup=False), console=screen, auto_refresh=False, disable=terminal
        ) as progress:
            progress.add_task(hostile)
        plain = OWN.sub("", out.getvalue())
        assert not OBEYED.search(plain)
        assert "\x1b" not in plain
    assert SHOWN in plain


def test_a_screen_shows_a_status_and_follows_no_link() -> None:
    out = io.StringIO()
    screen = Screen(file=out, force_terminal=True, width=200)
    with screen.status(EVIL):
        screen.print("[link=http://a.b]here[/]", markup=True)
    assert SHOWN in out.getvalue()
    assert not OBEYED.search(out.getvalue())


@pytest.mark.parametrize("stderr", [False, True])
def test_a_bar_moves_on_a_visible_stream_and_what_is_printed_beside_it_is_shown(
    monkeypatch: pytest.MonkeyPatch, stderr: bool
) -> None:
    out = io.StringIO()
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, VisibleStream(out))
    screen = Screen(stderr=stderr, force_terminal=True, width=200)
    with Progress(TextColumn("{task.description}"), console=screen, transient=True) as progress:
        progress.add_task("moving")
        screen.say(EVIL)
        print(EVIL)
        print(EVIL, file=sys.stderr)
        progress.refresh()
        assert behind(sys.stderr) is out
    assert "\x1b[2K" in out.getvalue()
    assert "␛[2K" not in out.getvalue()
    assert SHOWN in out.getvalue()
    assert not OBEYED.search(out.getvalue())


@given(st.text() | st.lists(st.text()) | st.dictionaries(st.text(), st.lists(st.text())))
def test_json_escapes_and_loses_nothing(value: object) -> None:
    shown = visible_json([value, EVIL])
    assert not OBEYED.search(shown)
    assert "\x1b" not in shown
    assert json.loads(shown) == [value, EVIL]


def test_the_page_shows_what_a_browser_would_obey(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / f"{NAME}.jsonl")
    tally = Tally()
    page = to_html(inspect(list(read_conversations([str(corpus)], None, tally)), tally))
    assert not OBEYED.search(page)
    assert "␛]52;c;aGk=␇" in page


def test_no_command_goes_another_way() -> None:
    """Rich's own console, the streams behind ours and bytes would go past what is above."""
    places = [*(ROOT / "src/wolf_chatbox").rglob("*.py"), ROOT / "dial_main.py"]
    for place in places:
        tree = ast.parse(place.read_text())
        names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
        attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        called = {
            node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert place.name == "screen.py" or not names & {"Console", "console"}, f"{place}: use Screen"
        assert not attributes & {"__stdout__", "__stderr__", "from_markup"}, f"{place}: goes past the visible streams"
        prints = {"print", "pprint"} & called
        assert not prints or place.parent.name == "cli" or place.name == "pipe.py", (
            f"{place}: only the command line prints"
        )


# Every command, on a terminal

DRIVER = """
import json, sys
from importlib.util import module_from_spec, spec_from_file_location
from wolf_chatbox.cli import app, run
spec = spec_from_file_location("dial_main", sys.argv[1])
classic = module_from_spec(spec); spec.loader.exec_module(classic)
for number, command in enumerate(json.loads(open(sys.argv[2]).read())):
    if command[0] == "dial_main":
        code = run(lambda: classic.app(command[1:], exit_on_error=False, print_error=False), classic.FLAGS)
    else:
        code = run(lambda: app.meta(command, exit_on_error=False, print_error=False), {})
    print(f"=={number} {code}==")
"""
TYPED = ("hello", f"/set {EVIL[-8:]}", f"/load {NAME}".replace("\x1b", ""), "/persona", "/retry")
"""What is said in a chat; a person types no ESC."""


def on_a_terminal(commands: Sequence[Sequence[str]], folder: Path) -> list[tuple[int, str]]:
    """The exit code of each command, and what it wrote to a terminal of 2,000 columns; in a chat something is typed."""
    import pexpect

    (folder / "commands.json").write_text(json.dumps(commands))
    arguments = ["-c", DRIVER, str(ROOT / "dial_main.py"), str(folder / "commands.json")]
    wide = os.environ | {"COLUMNS": "2000"}
    child = pexpect.spawn(
        sys.executable, arguments, encoding="utf-8", timeout=300, dimensions=(40, 2000), cwd=str(folder), env=wide
    )
    told = []
    for number, command in enumerate(commands):
        shown = ""
        for line in (*TYPED, "/quit") if "chat" in command else ():
            child.expect("FAKE.*: \x1b.*\x1b\\[\\?25h")
            shown += child.before + child.after
            child.send(f"{line}\r")
        child.expect(rf"=={number} (\d+)==\r\n")
        told.append((int(child.match[1]), shown + child.before))
    child.expect(pexpect.EOF)
    return told


def write_corpus(path: Path) -> Path:
    turns = [{"speaker": f"{EVIL}{'AB'[at % 2]}", "text": f"the goose {EVIL} is in house {at}"} for at in range(8)]
    path.write_text("".join(json.dumps({"turns": turns, "group": f"{EVIL}{group}"}) + "\n" for group in range(3)))
    return path


def check(folder: Path, *commands: tuple[int, list[str]]) -> None:
    """Each command ends with its code and shows the hostile text, of which nothing is obeyed."""
    for (code, command), (ended, told) in zip(
        commands, on_a_terminal([command for _, command in commands], folder), strict=True
    ):
        assert ended == code, (command, told)
        assert not OBEYED.search(told), (command, OBEYED.search(told), told)
        assert "␛]52;c;aGk" in told or r"\x1b]52;c;aGk" in told, (command, told)


def test_commands_for_data_show_hostile_text(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / f"{NAME}.jsonl").name
    (tmp_path / "settings.yaml").write_text(json.dumps({EVIL: 1}))
    (tmp_path / f"{NAME}.yaml").write_text(f"{NAME}: [")
    (tmp_path / f"{NAME}.csv").write_bytes(b"\x00\x01\x02")
    check(
        tmp_path,
        (0, ["data", "inspect", corpus]),
        (0, ["data", "inspect", corpus, "--html", f"{NAME}.html"]),
        (1, ["data", "inspect", f"{NAME}.csv"]),
        (0, ["data", "convert", corpus, "-o", f"{NAME}.out"]),
        (1, ["data", "convert", corpus, "-o", f"{NAME}.out"]),
        (1, ["data", "convert", corpus, "-o", "raw.txt", "--to", "raw", "--persona", EVIL]),
        (1, ["data", "get", EVIL]),
        (1, ["data", "werewolf", EVIL]),
        (2, ["train", "--config", "settings.yaml"]),
        (1, ["train", "--config", f"{NAME}.yaml"]),
        (2, [EVIL]),
        (2, ["dial_main", "--data", corpus, f"--{NAME}"]),
        (2, ["dial_main", "--play", "--ptr_model_path", f"./{NAME}"]),
    )


def test_json_on_a_terminal_is_escaped(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / f"{NAME}.jsonl")
    [(code, told)] = on_a_terminal([["data", "inspect", corpus.name, "--json"]], tmp_path)
    assert code == 0
    assert not OBEYED.search(told)
    assert json.loads(told)["files"][0][0] == corpus.name


@pytest.mark.slow
def test_commands_for_models_show_hostile_text(tmp_path: Path, tiny_gpt2: Path) -> None:
    corpus = write_corpus(tmp_path / f"{NAME}.jsonl").name
    base = shutil.copytree(tiny_gpt2, tmp_path / f"base{NAME}").name
    (tmp_path / f"no{NAME}").mkdir()
    (tmp_path / f"no{NAME}" / "config.json").write_text(json.dumps({"model_type": EVIL}))
    short = ["--epochs", "1", "--max-tokens", "128", "--max-new-tokens", "4"]
    trained = ["--data", corpus, "--model", f"./{base}", *short]
    search = {
        "train": {"data": corpus, "model": f"./{base}", "epochs": 1, "max-tokens": 128},
        "space": {"lr": [1e-3]},
        "output": f"sweep{NAME}",
    }
    (tmp_path / f"{NAME}.yaml").write_text(json.dumps(search))
    (tmp_path / "settings.yaml").write_text(json.dumps(search | {"train": {EVIL: 1}}))
    classic = ["--data", corpus, "--initial_point", f"./{base}", "--max_len_dial", "128"]
    check(
        tmp_path,
        (0, ["train", *trained, "--dry-run"]),
        (0, ["train", *trained, "--lora-rank", "2", "--output", f"lora{NAME}"]),
        (1, ["train", *trained, "--lora-rank", "2", "--output", f"lora{NAME}"]),
        (1, ["train", "--data", corpus, "--model", f"./no{NAME}", *short]),
        (0, ["merge", f"lora{NAME}", "-o", f"merged{NAME}"]),
        (1, ["merge", base, "-o", f"other{NAME}"]),
        (0, ["chat", "--model", f"lora{NAME}", "--max-new-tokens", "4"]),
        (0, ["sweep", f"{NAME}.yaml"]),
        (1, ["sweep", "settings.yaml"]),
        (1, ["models", "pull", f"./{NAME}"]),
        (0, ["dial_main", *classic, "--dry_run"]),
        (1, ["dial_main", "--data", corpus, "--initial_point", f"./no{NAME}"]),
    )
