"""The public data sets that can be fetched: contents, licences, citations, and the checksums of their files."""

from __future__ import annotations

import difflib
import json
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from wolf_chatbox.errors import DataError
from wolf_chatbox.format_names import FormatName

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
"""The text of the licence, which must accompany every copy: https://opensource.org/license/mit"""


class File(NamedTuple):
    """A file of a repository at one commit."""

    sha256: str
    bytes: int
    path: str


@dataclass(frozen=True, kw_only=True)
class PublicSet:
    """One data set.

    Its files come from a commit of a GitHub repository, with checksums; from a data set of the Hugging Face hub,
    without checksums; or from a web page, by hand.
    """

    name: str
    title: str
    languages: tuple[str, ...]
    what: str
    what_ja: str
    licence: str
    """The SPDX identifier; empty if none is stated."""
    citation: str
    copyright: str = ""
    bias: str = ""
    """What a model trained on it cannot be trusted with."""
    bias_ja: str = ""
    games: int | None = None
    """The number of werewolf games in it; None if it has none."""
    format: FormatName = "auto"
    repository: str = ""
    """owner/name on GitHub."""
    commit: str = ""
    files: tuple[File, ...] = ()
    hub: str = ""
    """owner/name of a data set on the Hugging Face hub."""
    patterns: tuple[str, ...] = ()
    """Which of the hub's files are fetched."""
    page: str = ""
    """The web page of a set that is not fetched."""
    by_hand: str = ""
    """How a user gets it there."""

    @property
    def bytes(self) -> int:
        """The size of all files; 0 if unknown."""
        return sum(file.bytes for file in self.files)

    @property
    def address(self) -> str:
        """The web page to look at it."""
        if self.repository:
            return f"https://github.com/{self.repository}/tree/{self.commit}"
        return f"https://huggingface.co/datasets/{self.hub}" if self.hub else self.page

    def notice(self) -> str:
        """The text that is kept beside the data: source, citation and licence."""
        head = f"{self.name}: {self.title}\n{self.address}\n\nPlease cite: {self.citation}\n\n"
        if self.licence == "MIT":
            return head + MIT.format(copyright=self.copyright)
        return head + f"{self.licence} ({self.copyright})\nhttps://spdx.org/licenses/{self.licence}.html\n"

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, with the number of files instead of each."""
        form = {
            name: value
            for name, value in asdict(self).items()
            if name not in ("files", "page") and value not in ("", None, ())
        }
        size = {"bytes": self.bytes, "files": len(self.files)} if self.files else {}
        return form | {"address": self.address} | size


def read_sets(path: Path) -> dict[str, PublicSet]:
    """The sets of a JSON file, in which a file is `"SHA-256 bytes path"`."""
    found = {}
    for name, entry in json.loads(path.read_text(encoding="utf-8")).items():
        split = (line.split(" ", 2) for line in entry.pop("files", ()))
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
    """The set of that name; raises DataError with the most similar names if there is none."""
    known = sets()
    if name not in known:
        near = difflib.get_close_matches(name.casefold(), known, n=3, cutoff=0.4)
        remedy = f"Did you mean {', '.join(near)}?" if near else f"The sets are {', '.join(known)}."
        raise DataError(f"{name}: no such data set. {remedy}")
    return known[name]


def werewolf_sets() -> list[PublicSet]:
    """The sets of werewolf games with a free licence and a checksum for every file."""
    return [known for known in sets().values() if known.games and known.files and known.licence]
