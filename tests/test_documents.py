"""The documents: their links lead somewhere, their pictures are there, and their commands have the flags they use."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from classic import dial_main
from conftest import ROOT
from wolf_chatbox.config import TrainConfig

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob(".github/*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```", re.M | re.S)
CODE = re.compile(r"^```.*?^```|^(?: {4}|\t).*?$|`[^`\n]*`", re.M | re.S)
COMMAND = re.compile(
    r"^ {4}(?:.*\| |\$ )?(wolf-chatbox (?:data |models |werewolf )?\w+|python dial_main\.py)\b(.*)", re.M
)
PROGRAM = ["-c", "import sys; from wolf_chatbox.cli import main; sys.exit(main())"]


def anchors(page: Path) -> set[str]:
    """The headings of a page as a forge makes anchors of them."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", page.read_text("utf-8")), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in LINK.findall(CODE.sub("", page.read_text("utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


@cache
def help_of(command: str) -> set[str]:
    words = command.split()[1:]
    arguments = [sys.executable, *(words if words == ["dial_main.py"] else [*PROGRAM, *words]), "--help"]
    environment = {**os.environ, "COLUMNS": "200", "PYTHONPATH": os.pathsep.join(sys.path)}
    shown = subprocess.run(arguments, capture_output=True, text=True, check=True, cwd=ROOT, env=environment).stdout
    return set(re.findall(r"--?[a-z][a-z_-]*", shown))


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=lambda page: page.name)
def test_every_command_has_the_flags_it_is_given(page: Path) -> None:
    unknown = []
    for command, rest in COMMAND.findall(page.read_text("utf-8")):
        given = re.findall(r"(?<=\s)--?[a-z][a-z_-]*", rest.partition("#")[0].partition("|")[0])
        unknown += [f"{command} {flag}" for flag in given if flag not in help_of(command) | {"--help"}]
    assert not unknown


@pytest.mark.parametrize("page", ["training.md", "training.ja.md", "benchmarks.md"])
def test_defaults_that_a_page_explains_are_those_of_the_settings(page: str) -> None:
    [flags] = re.findall(
        r"(?:[Tt]he defaults|既定値)[^`]*`((?:--[^\s`]+ [^\s`]+ ?)+)`", (ROOT / "docs" / page).read_text("utf-8")
    )
    words = flags.split()
    for flag, value in zip(words[::2], words[1::2], strict=True):
        name = flag.removeprefix("--").replace("-", "_")
        name = {classic: name for name, classic in dial_main.NAMES.items()}.get(name, name)
        assert float(value) == getattr(TrainConfig, name), flag
