"""The words that people read on the page and in a chat on the terminal: one file a language.

To add a language, copy en.yaml to its code (`fr.yaml`) and translate it; nothing else is needed. Where a text depends
on a number, it has the forms `one` and `other`, and `other` alone where a language makes no difference.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent
DEFAULT = "en"


@dataclass(frozen=True)
class Words:
    """The words of one language.

    words = words_of("ja")
    words("talk.send")                      # 送信
    words("home.chats", count=3)
    """

    language: str
    texts: Mapping[str, Any] = field(repr=False)

    def __call__(self, key: str, /, **values: Any) -> str:
        """The text of a key such as `talk.send`, with the values in its braces; raises KeyError for an unknown one."""
        text: Any = self.texts
        for part in key.split("."):
            text = text[part]
        if isinstance(text, Mapping):
            text = text["one"] if values.get("count") == 1 and "one" in text else text["other"]
        return str(text).format(**values)


def languages() -> dict[str, str]:
    """The languages by their codes, each by its own name."""
    return {code: _read(path)("language") for code, path in sorted(_files().items())}


def words_of(language: str) -> Words:
    """The words of a language; those of English for one that has no file."""
    files = _files()
    return _read(files.get(language, files[DEFAULT]))


def _files() -> dict[str, Path]:
    return {path.stem: path for path in FOLDER.glob("*.yaml")}


@cache
def _read(path: Path) -> Words:
    return Words(path.stem, yaml.safe_load(path.read_text(encoding="utf-8")))


def preferred(accepted: str) -> str:
    """The language that fits an Accept-Language header (RFC 9110, 12.5.4) or a locale such as ja_JP.UTF-8 best."""
    wanted = []
    for place, part in enumerate(accepted.replace("_", "-").split(",")):
        code, _, weight = "".join(part.split()).partition(";q=")
        try:
            wanted.append((-float(weight or 1), place, code.partition("-")[0].partition(".")[0].lower()))
        except ValueError:
            continue
    known = languages()
    return next((code for weight, _, code in sorted(wanted) if weight and code in known), DEFAULT)


@cache
def formats_in(language: str) -> Mapping[str, Mapping[str, str]]:
    """What formats/CODE.toml says of the file formats in a language: title, export and notes by format."""
    path = FOLDER / "formats" / f"{language}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if language.isalpha() and path.is_file() else {}


@cache
def settings_in(language: str) -> Mapping[str, Any]:
    """What settings/CODE.yaml says of the settings in a language: by verb and setting; empty where there is none."""
    path = FOLDER / "settings" / f"{language}.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8")) if language.isalpha() and path.is_file() else {}


def help_in(language: str, verb: str, name: str) -> str:
    """The help of a setting: that of the verb, else the one that verbs share; empty where there is only English."""
    texts = settings_in(language)
    return str(texts.get(verb, {}).get(name) or texts.get("shared", {}).get(name, ""))


def default_in(language: str, shown: str) -> str:
    """What a setting without a value means, such as "every speaker"; in English where there is nothing else."""
    return str(settings_in(language).get("defaults", {}).get(shown, shown))
