"""What a text looks like that no format claims: a page, JSON, a table, code, prose, a chat in an unknown form."""

from __future__ import annotations

import csv
import json
import re
import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from wolf_chatbox.importers.formats.scripts.script import delimiter_of, listed
from wolf_chatbox.importers.second_look.look import SUPPORTED, Seen
from wolf_chatbox.importers.streams.json_stream import described

CERTAIN: tuple[tuple[str, Seen], ...] = (
    (r"\{\\rtf", Seen("rtf", "an RTF document", "Save it as plain text (.txt).")),
    (r"BEGIN:VCALENDAR", Seen("calendar", "a calendar (iCalendar)", SUPPORTED)),
    (r"BEGIN:VCARD", Seen("contacts", "address cards (vCard)", SUPPORTED)),
    (r"-----BEGIN [A-Z ]{1,40}-----", Seen("key", "a key or an encrypted message", "Decrypt it first.")),
    (r"%!PS", Seen("postscript", "a PostScript document", "Copy its text into a .txt file.")),
    (r"version https://git-lfs",
     Seen("pointer", "a pointer of Git LFS, not the file", "Fetch the file: git lfs pull.")),
    (r"diff --git ", Seen("patch", "a patch", SUPPORTED)),
)  # fmt: skip
"""How texts begin that are surely no conversations, as patterns, and what they are."""
STARTS: tuple[tuple[str, Seen], ...] = (
    (r"<!doctype html|<html|<(?:head|body|div|table)\b",
     Seen("html", "an HTML page", "Export the chat as JSON or text.")),
    (r"#!", Seen("code", "a program's source code", SUPPORTED)),
)  # fmt: skip
"""The same of others, which may be of a known format."""
XML = re.compile(
    r"\s*(?:<\?xml[^>]{0,200}\?>\s*)?(?:<!--.{0,2000}?-->\s*)?(?:<!DOCTYPE[^>]{0,300}>\s*)?<([\w:.-]{1,60})", re.DOTALL
)
CODE = {
    name: language
    for language, names in {
        "Python": "py pyi", "JavaScript": "js mjs jsx", "TypeScript": "ts tsx", "C": "c h", "C++": "cc cpp hpp cxx",
        "Java": "java", "Kotlin": "kt", "Go": "go", "Rust": "rs", "Ruby": "rb", "PHP": "php", "C#": "cs", "Lua": "lua",
        "shell": "sh bash zsh", "SQL": "sql", "CSS": "css scss", "R": "r", "Perl": "pl", "Swift": "swift", "TeX": "tex",
    }.items()
    for name in names.split()
}  # fmt: skip
"""Languages, by the suffixes of their files."""
SILENT = {*CODE, "ini", "cfg", "conf", "toml", "yaml", "yml", "pyx", "pxi", "build"}
"""Suffixes of files in which nobody speaks, although their lines may look like NAME: text."""
SETTINGS = {"yaml": "YAML", "yml": "YAML", "toml": "TOML", "ini": "INI", "cfg": "INI", "conf": "INI", "env": "INI"}
CODE_LINE = re.compile(
    r"\s*(?:(?:def|class|import|from|return|function|const|let|var|public|private|static|void|if|for|while|package"
    r"|using|fn|pub|impl|func|type|struct|#include|#define|export|elif|else|try|except|end)\b[^.!?]*|[{}()\[\];]+"
    r"|//.*|/\*.*|.*[;{]|[\w.]+\s?(?:=|\+=)\s.*|@\w+.*)\s*$"
)
WEB_LOG = re.compile(r'\S{1,100} \S{1,60} \S{1,60} \[[^\]]{10,40}\] "')
LOG = re.compile(
    r"\W{0,2}(?:\d{4}[-/]\d\d[-/]\d\d|\d\d[-/.]\d\d[-/.]\d{2,4}|[A-Z][a-z]{2} [ \d]\d|\d{10})?.{0,40}?"
    r"\b(?:DEBUG|INFO|WARN(?:ING)?|ERROR|TRACE|FATAL|NOTICE|CRITICAL|kernel|systemd|sshd|cron)\b"
)
SETTING = re.compile(r"\s*(?:-\s+)?[\w.\"'-]{1,60}\s?[:=](?:\s.*)?$|\[[\w .-]{1,60}\]\s*$|\s*#")
HEADING = re.compile(r"#{1,6} \S|[=-]{3,}\s*$|```|[*-] \S|\d{1,3}\. \S|\|")
CLOCK = r"(?:[\[(]?\d[\d.:/ T,APMapm-]{2,30}[\])]?\s{0,3}[|\u2013\u2014-]?\s{0,3})?"
NAME = r"([^\W\d_][\w.' \u2019-]{0,39}?)"
BEFORE = re.compile(
    rf"{CLOCK}(?:[(<\[{{\u300c\u3010\u300a]{NAME}[)>\]}}\u300d\u3011\u300b]"
    rf"|{NAME}(?:\s?[\[(][^\])]{{1,30}}[\])])?\s?(?:[:\uff1a>\u00bb\u203a|~\u2192\t]|\s[\u2013\u2014-]\s))\s{{0,3}}(?=\S)"
)
"""What may stand before the words of a turn: a clock, a name, and a mark that ends it or brackets around it."""
ENDS = re.compile(r"[.!?\u3002\uff01\uff1f\u2026][\"'\u201d\u300d)]?(?:\s|$)")
MOST_LINES, LONG = 1000, 400
"""Lines that are looked at, and characters of each: the patterns meet nothing longer."""
REMEDY_TABLE = "Name the columns of a script: --speaker-column NAME --text-column NAME."
HEADER = "`time,name,line`"


def certain(head: str) -> Seen | None:
    """What a text is that begins as no conversation does; None for any other."""
    start = head[:200].lstrip()
    return next((seen for pattern, seen in CERTAIN if re.match(pattern, start, re.IGNORECASE)), None)


def likeness(head: str, name: str) -> Seen:
    """What the first 64 KiB of a text look like; `name` is the file's."""
    suffix = PurePosixPath(name).suffix.lower().lstrip(".")
    start = head.lstrip()
    if seen := certain(head) or next((one for pattern, one in STARTS if re.match(pattern, start, re.IGNORECASE)), None):
        return seen
    lines = [line[:LONG] for line in head.splitlines()[:MOST_LINES] if line.strip()]
    if start[:1] in ("{", "[") and (seen := _json(start)):
        return seen
    if start.startswith("<") and (root := XML.match(start)):
        return Seen("xml", f"XML with the root <{root[1]}>", "Export the conversations as JSON, CSV or text.")
    if suffix in CODE:
        return Seen("code", f"source code ({CODE[suffix]})", SUPPORTED)
    if _share(WEB_LOG, lines) > 0.5:
        return Seen("log", "the log of a web server", SUPPORTED)
    if _share(LOG, lines) > 0.5:
        return Seen("log", "a program's log", SUPPORTED)
    if suffix in SETTINGS and _share(SETTING, lines) > 0.5:
        return Seen("settings", f"settings ({SETTINGS[suffix]})", SUPPORTED)
    return _markdown(lines, suffix) or _code(lines) or _turns(lines) or _table(head) or _prose(lines)


def _json(start: str) -> Seen | None:
    """JSON, by its keys; None for a text that only begins with a bracket."""
    value: Any
    try:
        value, end = json.JSONDecoder().raw_decode(start)
    except (ValueError, RecursionError):
        keys = list(dict.fromkeys(re.findall(r'"([^"\\\n]{1,60})"\s*:', start)))
        if not keys:
            return None
        return Seen("json", f"JSON (keys: {listed(keys[:12])})", SUPPORTED)
    if isinstance(value, list) and not value and start[end:].strip():
        return None  # a line such as `[] Ann`
    several = isinstance(value, dict) and start[end:].lstrip().startswith("{")
    return Seen("json", "JSON Lines, each " + described(value) if several else "JSON: " + described(value), SUPPORTED)


def _table(head: str) -> Seen | None:
    """A table: rows of as many cells as its first one."""
    lines = [line for line in head.splitlines()[:MOST_LINES] if line.strip()]
    try:
        rows = [row for row in csv.reader(lines[:200], delimiter=delimiter_of(head)) if row]
    except csv.Error:
        return None
    if len(rows) < 2 or len(rows[0]) < 2:
        return None
    alike = sum(len(row) == len(rows[0]) for row in rows) / len(rows)
    if alike < 0.9 or (len(rows[0]) == 2 and len(rows) < 4):
        return None
    header = [cell.strip() for cell in rows[0]]
    named = len(set(header)) == len(header) and all(0 < len(cell) <= 60 and not _is_number(cell) for cell in header)
    if not named:
        return Seen("table", f"a table of {len(header)} columns without names", f"Give it a header, such as {HEADER}.")
    what = f"a table with the columns {listed(header)}, none known for speakers and lines"
    return Seen("table", what, _suggested(header, rows[1:]) or REMEDY_TABLE)


def _suggested(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The columns that look like those of speakers and lines, as flags; nothing where none does."""
    cells = [[row[at].strip() for row in rows if at < len(row)] for at in range(len(header))]
    lengths = [sum(map(len, column)) / max(1, len(column)) for column in cells]
    words = [at for at, column in enumerate(cells) if column and not any(map(_is_number, column))]
    text = max(words, key=lambda at: lengths[at], default=None)
    names = [at for at in words if at != text and 1 < len(set(cells[at])) <= len(cells[at]) / 2 and lengths[at] <= 30]
    if text is None or not names or lengths[text] < 8:
        return ""
    name = min(names, key=lambda at: len(set(cells[at])))
    return f"Perhaps: --speaker-column {shlex.quote(header[name])} --text-column {shlex.quote(header[text])}."


def _is_number(cell: str) -> bool:
    return bool(re.fullmatch(r"[-+\d.,:/ ]{1,40}", cell))


def _markdown(lines: Sequence[str], suffix: str) -> Seen | None:
    headings = sum(bool(re.match(r"#{1,6} \S", line)) for line in lines)
    if suffix in ("md", "markdown", "rst") or (headings > 1 and _share(HEADING, lines) > 0.2):
        return Seen("markdown", "a document (Markdown)", SUPPORTED)
    return None


def _turns(lines: Sequence[str]) -> Seen | None:
    """A chat in an unknown form: most lines begin in the same way, and names come back there."""
    found = [match for line in lines if (match := BEFORE.match(line))]
    names = Counter(match[1] or match[2] for match in found)
    back = sum(count for count in names.values() if count > 1)
    words = [match.string[match.end() :].split() for match in found]
    if len(found) < max(3, 0.6 * len(lines)) or back < 0.6 * len(found) or not 2 <= len(names) <= 0.7 * len(found):
        return None
    if sum(len(said) > 1 for said in words) < 0.4 * len(words) or len(set(map(tuple, words))) < 0.6 * len(words):
        return None
    example = found[0][0].strip()
    remedy = "Write its lines as NAME: text, or as a table with the columns name and line."
    return Seen("turns", f"a chat in a form that is not known (lines begin like {example!r})", remedy)


def _code(lines: Sequence[str]) -> Seen | None:
    return Seen("code", "source code", SUPPORTED) if len(lines) >= 3 and _share(CODE_LINE, lines) > 0.6 else None


def _prose(lines: Sequence[str]) -> Seen:
    text = " ".join(lines[:200])
    if len(lines) == 1:
        return Seen("line", "one line of text", SUPPORTED)
    sentences = len(ENDS.findall(text))
    quoted = len(re.findall(r"[\"\u201c\u300c][^\"\u201d\u300d]{2,300}[\"\u201d\u300d]", text))
    if sentences and len(text) / sentences < 400:
        if quoted >= max(3, sentences // 10):
            return Seen("prose", "prose: speech is quoted, and nobody is named as its speaker", SUPPORTED)
        return Seen("prose", "prose without speakers", SUPPORTED)
    return Seen("text", "lines of text without speakers", SUPPORTED)


def _share(pattern: re.Pattern[str], lines: Sequence[str]) -> float:
    return sum(bool(pattern.match(line)) for line in lines) / len(lines) if lines else 0.0
