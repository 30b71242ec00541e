"""Public sets of conversations that can be fetched: what they hold, whose they are, and how their files are told to be whole."""

from __future__ import annotations

import difflib
import json
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from wolf_chatbox.config import FormatName
from wolf_chatbox.errors import DataError

MIT = """\
MIT License

{copyright}

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""
"""The licence's text, which asks to go with every copy: https://opensource.org/license/mit"""


class File(NamedTuple):
    """A file of a repository, as it is at one commit."""

    sha256: str
    bytes: int
    path: str


@dataclass(frozen=True, kw_only=True)
class PublicSet:
    """One set. Its files are those of a GitHub repository at a commit, with checksums; or those of a hub's data set, without; or got by hand."""

    name: str
    title: str
    languages: tuple[str, ...]
    what: str
    what_ja: str
    licence: str
    """As SPDX names it; empty where none is stated."""
    citation: str
    copyright: str = ""
    bias: str = ""
    """What a model that learns from it should not be trusted with."""
    bias_ja: str = ""
    games: int | None = None
    """Games of werewolf in it; None where it holds none."""
    format: FormatName = "auto"
    repository: str = ""
    """owner/name on GitHub."""
    commit: str = ""
    files: tuple[File, ...] = ()
    hub: str = ""
    """owner/name of a data set on the Hugging Face hub."""
    patterns: tuple[str, ...] = ()
    """Which of the hub's files are fetched."""
    by_hand: str = ""
    """Where it is and what to do, for a set that is not fetched."""

    @property
    def bytes(self) -> int:
        """The size of all files; 0 where it is not known."""
        return sum(file.bytes for file in self.files)

    @property
    def address(self) -> str:
        """Where a person can look at it."""
        if self.repository:
            return f"https://github.com/{self.repository}/tree/{self.commit}"
        return (
            f"https://huggingface.co/datasets/{self.hub}"
            if self.hub
            else self.by_hand.partition(" at ")[2].partition(" ")[0]
        )

    def notice(self) -> str:
        """What is kept beside the data: whose it is, under which licence, and how to cite it."""
        head = f"{self.name}: {self.title}\n{self.address}\n\nPlease cite: {self.citation}\n\n"
        if self.licence == "MIT":
            return head + MIT.format(copyright=self.copyright)
        return head + f"{self.licence} ({self.copyright})\nhttps://spdx.org/licenses/{self.licence}.html\n"

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: everything but the single files."""
        form = {name: value for name, value in asdict(self).items() if name != "files" and value not in ("", None, ())}
        return (
            form | {"address": self.address} | ({"bytes": self.bytes, "files": len(self.files)} if self.files else {})
        )


def read_sets(path: Path) -> dict[str, PublicSet]:
    """The sets of a JSON file; in it a file is `"SHA-256 bytes path"`."""
    found = {}
    for name, entry in json.loads(path.read_text(encoding="utf-8")).items():
        split = (each.split(" ", 2) for each in entry.pop("files", ()))
        listed = tuple(File(digest, int(size), place) for digest, size, place in split)
        plain: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()
        }
        found[name] = PublicSet(name=name, files=listed, **plain)
    return found


@cache
def sets() -> dict[str, PublicSet]:
    """All the sets that come with the package, by name."""
    return read_sets(Path(str(files("wolf_chatbox.public") / "sources.json")))


def find_set(name: str) -> PublicSet:
    """The set of that name; raises DataError with the nearest names when there is none."""
    known = sets()
    if name not in known:
        near = difflib.get_close_matches(name.casefold(), known, n=3, cutoff=0.4)
        raise DataError(
            f"{name}: no set of that name. "
            + (f"Did you mean {', '.join(near)}?" if near else f"There are {', '.join(known)}.")
        )
    return known[name]


def werewolf_sets() -> list[PublicSet]:
    """The sets of games whose licence is free and whose every file has a checksum."""
    return [each for each in sets().values() if each.games and each.files and each.licence]
