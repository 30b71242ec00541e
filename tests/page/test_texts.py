"""The words of the page and the terminal: all languages have the same, and the code uses what is there."""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
import yaml

from wolf_chatbox import words as module
from wolf_chatbox.importers.shared.messages import DROPPED
from wolf_chatbox.page.parts import why_dropped
from wolf_chatbox.words import languages, preferred, words_of

SOURCE = Path(module.__file__).parent.parent
FORMS = {"one", "other"}


def texts(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Each key with its text, or with its forms."""
    for name, value in tree.items():
        if isinstance(value, Mapping) and not ("other" in value and set(value) <= FORMS):
            yield from texts(value, f"{above}{name}.")
        else:
            yield above + name, value


def forms(value: Any) -> list[str]:
    return list(value.values()) if isinstance(value, Mapping) else [value]


def blanks(value: Any) -> set[str]:
    """The names in the braces of a text, of its form `other` where it has forms."""
    text = value["other"] if isinstance(value, Mapping) else value
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


ENGLISH = dict(texts(words_of("en").texts))


@cache
def sources() -> tuple[tuple[Path, ast.Module], ...]:
    return tuple((path, ast.parse(path.read_text(encoding="utf-8"))) for path in sorted(SOURCE.rglob("*.py")))


WILD = r"[\w.]+"
"""Any part of a key."""


@cache
def walked(tree: ast.Module) -> list[ast.AST]:
    return list(ast.walk(tree))


def pattern(node: ast.AST) -> str | None:
    """What a text in the code may be, as a regular expression: `f"frame.{place}"` is any key of the frame."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.escape(node.value)
    if isinstance(node, ast.JoinedStr):
        parts = (pattern(part) if isinstance(part, ast.Constant) else WILD for part in node.values)
        return "".join(part or "" for part in parts)
    return None


@cache
def known(key: str) -> list[str]:
    """The keys that a pattern fits."""
    return re.findall(f"^(?:{key})$", "\n".join(ENGLISH), re.MULTILINE)


def asked() -> Iterator[tuple[str, str, ast.Call]]:
    """Every call of `words(…)`, and of a page's `t(…)`, which leaves out its section: its place, the key, the call."""
    for path, tree in sources():
        for node in walked(tree):
            if isinstance(node, ast.Call) and node.args and (key := pattern(node.args[0])):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if name in ("words", "t"):
                    yield f"{path.relative_to(SOURCE)}:{node.lineno}", (f"{WILD}\\." if name == "t" else "") + key, node


@pytest.mark.parametrize("language", sorted(set(languages()) - {"en"}))
def test_all_languages_have_the_same_texts_with_the_same_blanks(language: str) -> None:
    other = dict(texts(words_of(language).texts))
    assert sorted(other) == sorted(ENGLISH)
    assert {key: blanks(value) for key, value in other.items()} == {key: blanks(ENGLISH[key]) for key in other}


@pytest.mark.parametrize("language", sorted(languages()))
def test_every_text_says_something_in_one_way(language: str) -> None:
    for key, value in texts(words_of(language).texts):
        for text in forms(value):
            assert isinstance(text, str), f"{key}: {text!r} must stand in quotes"
            assert text.strip(), key
        if isinstance(value, Mapping) and "one" in value:
            assert blanks({"other": value["one"]}) <= blanks(value), key


def test_no_key_stands_twice_in_a_file() -> None:
    class Strict(yaml.SafeLoader):
        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            names = [self.construct_object(name) for name, _ in node.value]
            assert len(names) == len(set(names)), [name for name in names if names.count(name) > 1]
            return super().construct_mapping(node, deep)

    for path in module.FOLDER.glob("*.yaml"):
        assert yaml.load(path.read_text(encoding="utf-8"), Strict)


def test_every_text_that_the_code_asks_for_is_there() -> None:
    missing = [f"{where}: {key}" for where, key, _ in asked() if not known(key)]
    assert not missing, missing


def test_every_blank_gets_its_value() -> None:
    for where, key, call in asked():
        given = {word.arg for word in call.keywords}
        if None not in given and isinstance(call.args[0], ast.Constant):  # there is no **values
            assert any(blanks(ENGLISH[name]) <= given for name in known(key)), f"{where}: {key}"


def test_no_text_is_there_for_nothing() -> None:
    """Where the code makes `section.{key}` of any key, the key's own text must stand somewhere."""
    said = {text for _, tree in sources() for node in walked(tree) if (text := pattern(node))}
    said = {text for text in said if text[0].isalpha()}
    whole = {f"{section}\\.{WILD}" for section in words_of("en").texts}
    together = re.compile("|".join(sorted(said - whole)))
    wrapped = tuple(text.partition("\\")[0] + "." for text in whole & said)
    unused = [key for key in ENGLISH if not together.fullmatch(key) and key != "language"]
    unused = [key for key in unused if not (key.startswith(wrapped) and together.fullmatch(key.partition(".")[2]))]
    assert unused == []


def test_a_text_has_its_values_and_the_form_of_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "language: F\ngame:\n  found: {one: '{count} tour', other: '{count} tours'}\n  by: 'de {who}'\n"
    (tmp_path / "fr.yaml").write_text(text)
    shutil.copy(module.FOLDER / "en.yaml", tmp_path)
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    words = words_of("fr")
    assert [words("game.found", count=count) for count in (0, 1, 2)] == ["0 tours", "1 tour", "2 tours"]
    assert words("game.by", who="{count}") == "de {count}"  # what is given is no text with blanks
    with pytest.raises(KeyError):
        words("game.nothing")


def test_a_file_of_words_is_all_that_a_language_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in module.FOLDER.glob("*.yaml"):
        shutil.copy(path, tmp_path)
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    assert "fr" not in languages()
    assert words_of("fr").language == preferred("fr") == "en"
    (tmp_path / "fr.yaml").write_text("language: Français\n", encoding="utf-8")
    assert languages()["fr"] == "Français"
    assert words_of("fr").language == preferred("fr-CH, en;q=0.9") == "fr"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("ja", "ja"),
        ("ja-JP,ja;q=0.9,en;q=0.8", "ja"),
        ("en-US,en;q=0.9,ja;q=0.8", "en"),
        ("en;q=0.5, ja;q=0.9", "ja"),
        ("en ; q=0.1 , ja ; q=0.2", "ja"),
        ("fr, de;q=0.9, ja;q=0.1", "ja"),
        ("JA-jp", "ja"),
        ("ja;q=0", "en"),
        ("ja;q=x, en;q=0.1", "en"),
        ("fr", "en"),
        ("*", "en"),
        ("", "en"),
        (",;q=,;;", "en"),
        ("ja_JP.UTF-8", "ja"),
        ("ja_JP", "ja"),
        ("en_GB.UTF-8", "en"),
        ("C.UTF-8", "en"),
        ("POSIX", "en"),
    ],
)
def test_the_language_is_the_one_that_is_wanted_most(accepted: str, language: str) -> None:
    assert preferred(accepted) == language


@pytest.mark.parametrize("code", ["", "..", "../en", "EN", "x" * 5000, "en\n", "%s", "é", "\0"])
def test_what_is_no_language_gives_english(code: str) -> None:
    assert words_of(code).language == "en"


def test_why_turns_were_dropped_is_said_in_the_language_of_the_reader() -> None:
    japanese = words_of("ja")
    for kind in DROPPED.values():
        assert why_dropped(japanese, kind) != kind
        assert why_dropped(words_of("en"), kind) == kind
    assert why_dropped(japanese, "in another language (de)") == "別の言語 (de)"
    assert why_dropped(japanese, "a reason without words") == "a reason without words"
