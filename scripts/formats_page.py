"""Write the tables of docs/formats.md and docs/formats.ja.md anew, from what each format's file says about itself.

    python scripts/formats_page.py [--check]      (part of make reference)

A table stands between `<!-- formats: FAMILY -->` and `<!-- end of formats -->`, and lists the formats of
importers/formats/FAMILY. Japanese texts are in words/formats/ja.toml; a missing one is English. --check writes
nothing, and exits with 1 if a page is stale.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from wolf_chatbox.format_names import FORMAT_FILES
from wolf_chatbox.importers import FORMATS
from wolf_chatbox.words import formats_in

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"
TABLE = re.compile(r"(<!-- formats: (\w+) -->\n).*?(<!-- end of formats -->)", re.DOTALL)
HEADINGS = {
    "formats.md": {"title": "format", "export": "how to get the file", "notes": "what to know"},
    "formats.ja.md": {"title": "形式", "export": "ファイルの入手方法", "notes": "説明"},
}

Texts = Mapping[str, Mapping[str, str]]
"""Title, export and notes by format."""


def english() -> Texts:
    return {
        name: {"title": format.title, "export": format.export, "notes": format.notes}
        for name, format in FORMATS.items()
    }


def japanese() -> Texts:
    told: Texts = formats_in("ja")
    return {name: {**texts, **told.get(name, {})} for name, texts in english().items()}


def table(folder: str, texts: Texts, headings: Mapping[str, str]) -> str:
    """A row for each format of a folder; without the column on exports where none of them says anything there."""
    names = [name for name, place in FORMAT_FILES.items() if place == folder]
    columns = [column for column in headings if any(texts[name][column] for name in names)]
    rows = [["`--format`", *(headings[column] for column in columns)], ["---"] * (len(columns) + 1)]
    for name in names:
        cells = dict(texts[name])
        if link := FORMATS[name].documentation:
            cells["title"] = f"[{cells['title']}]({link})"
        rows.append([f"`{name}`", *(cells[column].replace("|", r"\|") for column in columns)])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def page(name: str) -> str:
    """A page of docs with its tables as they should be. Raises ValueError where a folder of formats has no table."""
    texts = japanese() if name.endswith(".ja.md") else english()
    old = (DOCS / name).read_text(encoding="utf-8")
    if missing := set(FORMAT_FILES.values()) - {match[2] for match in TABLE.finditer(old)}:
        raise ValueError(f"docs/{name}: no table for importers/formats/{min(missing)}. Add its two marks.")
    return TABLE.sub(lambda found: found[1] + table(found[2], texts, HEADINGS[name]) + found[3], old)


def main() -> int:
    stale = [name for name in HEADINGS if page(name) != (DOCS / name).read_text(encoding="utf-8")]
    for name in stale:
        if "--check" in sys.argv:
            print(f"docs/{name}: stale. Run make reference.")
        else:
            (DOCS / name).write_text(page(name), encoding="utf-8")
    return int(bool(stale) and "--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
