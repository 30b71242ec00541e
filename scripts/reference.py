"""Write docs/reference.md and docs/reference.ja.md: every setting of every verb, from its declaration and docstring.

    make reference

The Japanese texts are in src/wolf_chatbox/words/settings/ja.yaml, by verb and setting; the English one stands where
there is none.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import fields
from inspect import Parameter, getdoc
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # dial_main.py is there

from cyclopts import App
from dial_main import CHAT, FLAGS, TRAIN
from docstring_parser import parse_from_object

from wolf_chatbox.cli import app, plain_examples
from wolf_chatbox.settings import Setting, described, typed
from wolf_chatbox.training.sweep import SweepConfig
from wolf_chatbox.words import default_in, help_in, settings_in

ROOT = Path(__file__).resolve().parents[1]
JAPANESE = settings_in("ja")
CLASSIC = {
    "train": {name: FLAGS[name] for name in TRAIN},
    "chat": {name: FLAGS[name] for name in CHAT} | {"model": FLAGS["output"]},
}
"""The flags of dial_main.py, by verb; with --play it has those of chat."""


class Words(NamedTuple):
    """The texts of a page in one language."""

    title: str
    intro: str
    flag: str
    key: str
    default: str
    meaning: str
    required: str
    off: str
    choices: str
    file: str


ENGLISH = Words(
    title="Reference",
    intro="""Every setting of every command. This page is generated from the code by `make reference`.

- **Flag**: as `wolf-chatbox` takes it. Words in capitals are given without a flag.
- **dial_main.py**: the same setting on the classic command line; `python dial_main.py` is `train`, and
  `python dial_main.py --play` is `chat`.
- **YAML**: the key in a file for `--config FILE`, such as `epochs: 3`. Flags override the file.

Exit codes: 0 done; 1 an error; 2 a wrong setting; 3 done, but some input files could not be read completely;
130 stopped by Ctrl-C.""",
    flag="Flag",
    key="YAML",
    default="Default",
    meaning="Meaning",
    required="required",
    off="off",
    choices="One of {}.",
    file="The YAML file of a sweep",
)
LANGUAGES = {"en": ENGLISH, "ja": Words(**JAPANESE["page"])}


def pages() -> dict[Path, str]:
    """The pages by their paths."""
    return {
        ROOT / "docs" / "reference.md": "\n".join(page("en")) + "\n",
        ROOT / "docs" / "reference.ja.md": "\n".join(page("ja")) + "\n",
    }


def page(language: str) -> Iterator[str]:
    words = LANGUAGES[language]
    yield from (f"# {words.title}", "", words.intro.strip())
    for verb, command in verbs(app):
        yield from ("", f"## wolf-chatbox {verb}", "", purpose(verb, command, language), "")
        yield from (f"    {example}" for example in plain_examples(command.help_epilogue))
        settings = described(command).values()
        for group, listed in groupby(sorted(settings, key=place_of_group), key=lambda setting: setting.groups[0].name):
            yield from table(verb, group, list(listed), language)
        if verb == "sweep":
            yield from ("", f"### {words.file}", "")
            yield from sweep_file(language)


def verbs(parent: App, above: tuple[str, ...] = ()) -> Iterator[tuple[str, App]]:
    """The commands that do something, by their words."""
    for name in parent:
        if not name.startswith("-"):
            command = parent[name]
            if command.default_command:
                yield " ".join((*above, name)), command
            yield from verbs(command, (*above, name))


def purpose(verb: str, command: App, language: str) -> str:
    found = JAPANESE[verb]["purpose"] if language == "ja" and verb in JAPANESE else getdoc(command.default_command)
    return (found or "").partition("\n")[0]


def place_of_group(setting: Setting) -> tuple[int, ...]:
    """Settings without a group of their own come first."""
    order = setting.groups[0].sort_key
    return (order,) if isinstance(order, int) else (-1,)


def table(verb: str, group: str, settings: list[Setting], language: str) -> Iterator[str]:
    words, classic = LANGUAGES[language], CLASSIC.get(verb, {})
    if group != "Parameters":
        yield from ("", f"### {group if language == 'en' else JAPANESE['groups'][group]}")
    heads = [words.flag, *(["dial_main.py"] if classic else []), words.key, words.default, words.meaning]
    yield from ("", f"| {' | '.join(heads)} |", "|---" * len(heads) + "|")
    for setting in settings:
        flag = setting.name.upper() if setting.positional else ", ".join(setting.flags)
        other = [code(classic[setting.name]) if setting.name in classic else ""] if classic else []
        yield row(
            code(flag),
            *other,
            code(setting.name.rstrip("_")),
            default(setting, language),
            text(verb, setting, language),
        )


def default(setting: Setting, language: str) -> str:
    words = LANGUAGES[language]
    if setting.default is Parameter.empty:
        return words.required
    if setting.default is False:
        return words.off
    shown = setting.shown_default
    if setting.default in (None, ()):
        return default_in(language, shown)
    return code(shown)


def text(verb: str, setting: Setting, language: str) -> str:
    words = LANGUAGES[language]
    meaning = help_in(language, verb, setting.name) or setting.help
    return (
        f"{meaning} {words.choices.format(', '.join(map(code, setting.choices)))}" if setting.shows_choices else meaning
    )


def untranslated() -> list[str]:
    """The settings without a Japanese text."""
    settings = [(verb, name) for verb, command in verbs(app) for name in described(command)]
    settings += [("sweep file", field.name) for field in fields(SweepConfig) if field.compare]
    return [f"{verb}: {name}" for verb, name in settings if not help_in("ja", verb, name)]


def sweep_file(language: str) -> Iterator[str]:
    """The keys of a sweep's file, which has no flags."""
    words = LANGUAGES[language]
    help_ = {
        found.arg_name: " ".join((found.description or "").split()) for found in parse_from_object(SweepConfig).params
    }
    yield from (f"| {words.key} | {words.default} | {words.meaning} |", "|---|---|---|")
    for field in fields(SweepConfig):
        if field.compare:
            required = field.default is field.default_factory  # both are MISSING
            shown = words.required if required else code(typed(field.default) or "")
            meaning = help_in(language, "sweep file", field.name) or help_.get(field.name, "")
            yield row(code(field.name), shown, meaning)


def code(value: object) -> str:
    return f"`{value}`" if value != "" else ""


def row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


if __name__ == "__main__":
    for path, content in pages().items():
        path.write_text(content, encoding="utf-8")
        print(path.relative_to(ROOT))
