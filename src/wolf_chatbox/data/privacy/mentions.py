"""Finds mentions of people in texts: the whole name or a part of it, in any case, width and Unicode composition."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import IntEnum
from functools import cache
from importlib.resources import files
from itertools import accumulate

from wolf_chatbox.conversation import folded

HAN, KATAKANA, HIRAGANA = r"\u3400-\u9fff々", r"ァ-ヺー", r"ぁ-ゖ"
UNSPACED = rf"\u0e00-\u0eff{HIRAGANA}\u30a0-\u30ff{HAN}\uac00-\ud7af"
"""Scripts without spaces between words, or (Hangul) with particles attached to words."""
LETTER = rf"[^\W_{UNSPACED}]"
NO_SPACES = re.compile(f"[{UNSPACED}]+")
HONORIFIC = (
    r"(?:さん|ちゃん|くん|さま|君|様|氏|殿|先生|先輩|部長|課長|社長|店長"
    r"|老师|老師|女士|小姐|先生|同学|总|哥|姐|씨|님|아|야)"
)
NICKNAMED = "老小阿"
"""What friends put before a Chinese surname."""
WORD = re.compile(r"[^\W\d_]+")
MARKS = (
    r"\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u064b-\u065f\u1dc0-\u1dff\u20d0-\u20ff"
    r"\u3099\u309a\ufe20-\ufe2f\uff9e\uff9f"
)
"""Combining characters, which belong to the character before them."""
CLUSTER = re.compile(rf"[\u1100-\u1112][\u1161-\u1175][\u11a8-\u11c2]?|(?s:.)[{MARKS}]*")
COMPOSED = re.compile(rf"[{MARKS}\u1100-\u11ff]")
ORDINARY = 6_000
"""How many of the most frequent English words count as ordinary words."""


class Sure(IntEnum):
    """What a word must have in a text to be taken for a name."""

    ANYHOW = 0
    CAPITAL = 1
    """It is also an ordinary word: a capital letter."""
    TITLED = 2
    """It is short, in a script without spaces: an honorific."""


class Mentions:
    """Replaces mentions of people; `names` maps each name to its replacement.

    Possible ordinary words are counted in `left` if they were not replaced, in `guessed` if they were.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self.left: Counter[str] = Counter()
        self.guessed: Counter[str] = Counter()
        owners: dict[str, set[str]] = {}
        sureness: dict[str, Sure] = {}
        for name, new in names.items():
            for form, sure in forms(name):
                owners.setdefault(form, set()).add(new)
                sureness[form] = min(sure, sureness.get(form, sure))
        whole = {folded(name): new for name, new in names.items()}
        for form in [form for form, those in owners.items() if len(those) > 1 and form not in whole]:
            if all(re.search(r"\d", name) for name in names if form in folded(name)):
                del owners[form]  # Player 1, Player 2: "Player" names nobody
        self._new = {form: whole.get(form, min(those)) for form, those in owners.items()}
        self._sure = {form: sureness[form] for form in owners}
        self._pattern = _pattern(self._sure)

    def replace(self, text: str) -> tuple[str, int]:
        """The text with all mentions replaced, and their number."""
        if self._pattern is None:
            return text, 0
        low, place = aligned(text)
        parts, at, count = [], 0, 0
        for match in self._pattern.finditer(low):
            start, end = place(match.start()), place(match.end())
            form, written = " ".join(match[0].split()), text[start:end]
            if match.lastgroup == "bare" or not self._means(form, written, low[match.end() : match.end() + 1]):
                self.left[form] += 1
            elif start >= at:
                if self._sure[form] is Sure.CAPITAL:
                    self.guessed[form] += 1
                parts += [text[at:start], self._new[form]]
                at, count = end, count + 1
        return "".join([*parts, text[at:]]), count

    def _means(self, form: str, written: str, after: str) -> bool:
        return self._sure[form] is not Sure.CAPITAL or (
            written[:1].isupper() and not written[1:].isupper() and after != "s"
        )

    def doubts(self) -> list[str]:
        """What is uncertain, one line each; the lines quote names."""
        lines = (
            (self.left, "not replaced because they may be ordinary words (lower case, or no honorific)"),
            (self.guessed, "replaced because they are capitalized, but they may be ordinary words"),
        )
        return [f"{done}: {_listed(counts)}" for counts, done in lines if counts.total()]


def _listed(counts: Counter[str], most: int = 12) -> str:
    listed = ", ".join(
        f"{form} ({count} times)" if count > 1 else form for form, count in counts.most_common(most) if count
    )
    return listed + (f" and {len(counts) - most} more" if len(counts) > most else "")


def forms(name: str) -> Iterator[tuple[str, Sure]]:
    """The forms by which a text may mention a name, folded, and how sure each is."""
    whole = folded(name)
    words = WORD.findall(whole)
    if len(whole) > 1:
        yield whole, _sure(whole) if words == [whole] else Sure.ANYHOW
    elif NO_SPACES.fullmatch(whole):
        yield whole, Sure.TITLED
    segments = [part for word in words for part in re.findall(rf"[{UNSPACED}]+|{LETTER}+", word)]
    unspaced = [re.sub(f"(?<=.){HONORIFIC}$", "", part) for part in segments if NO_SPACES.fullmatch(part)]
    if len(unspaced) > 1 and len(unspaced) == len(segments):
        yield "".join(unspaced), Sure.ANYHOW
    for part in unspaced:
        yield part, _sure(part)
    if len(unspaced) == 1:
        yield from _split(unspaced[0])
    for part in segments:
        if not NO_SPACES.fullmatch(part) and len(part) > 1 and part not in _listing("titles") and part != whole:
            yield part, _sure(part)


def _split(name: str) -> Iterator[tuple[str, Sure]]:
    """The parts of a name without spaces: sure if its surname is a common one; otherwise every division is a guess."""
    if re.fullmatch("[\uac00-\ud7af]{3}", name):
        yield name[1:], Sure.ANYHOW
    elif re.fullmatch(rf"[{HAN}][{HAN}{HIRAGANA}]{{2,4}}", name):
        known = next((size for size in (3, 2, 1) if name[:size] in _listing("surnames") and size < len(name)), None)
        for cut in [known] if known else range(1, len(name)):
            for part in (name[:cut], name[cut:]):
                yield part, _sure(part) if known else Sure.TITLED


def _sure(word: str) -> Sure:
    if NO_SPACES.fullmatch(word):
        return Sure.TITLED if len(word) < (3 if re.fullmatch(f"[{HIRAGANA}]+", word) else 2) else Sure.ANYHOW
    return Sure.CAPITAL if len(word) < 3 or word in _ordinary() else Sure.ANYHOW


@cache
def _listing(kind: str) -> frozenset[str]:
    """A list of names.json.

    `titles` alone name nobody; `given names` are hardly ever other English words; `words` are names, but more often
    ordinary words; `surnames` are common in Japan and China.
    """
    lines = json.loads((files("wolf_chatbox.data.privacy") / "names.json").read_text(encoding="utf-8"))[kind]
    return frozenset(" ".join(lines).split())


@cache
def _ordinary() -> frozenset[str]:
    """The most frequent English words (symspellpy) that are not mainly names, and rarer and German words that are."""
    text = (files("symspellpy") / "frequency_dictionary_en_82_765.txt").read_text(encoding="utf-8-sig")
    return frozenset(line.partition(" ")[0] for line in text.splitlines()[:ORDINARY]) - _listing(
        "given names"
    ) | _listing("words")


def _pattern(sure: Mapping[str, Sure]) -> re.Pattern[str] | None:
    """One pattern for all forms: a prefix tree, so that matching time does not grow with the number of names."""

    def those(holds: Callable[[str], bool]) -> str:
        return _tree([form for form in sure if holds(form)])

    def titled(form: str) -> bool:
        return sure[form] is Sure.TITLED

    def kana(form: str) -> bool:
        return not titled(form) and re.fullmatch(f"[{KATAKANA}]+", form) is not None

    def spaced(form: str) -> bool:
        return not NO_SPACES.search(form)

    short = those(titled)
    parts = [
        those(lambda form: not spaced(form) and not kana(form) and not titled(form)),
        rf"(?<!{LETTER}){tree}(?=s?(?!{LETTER}))" if (tree := those(spaced)) else "",
        f"(?<![{KATAKANA}]){tree}(?![{KATAKANA}])" if (tree := those(kana)) else "",
        f"(?<![{HAN}{HIRAGANA}]){short}(?={HONORIFIC})|(?<=[{NICKNAMED}]){short}(?![{HAN}{HIRAGANA}{KATAKANA}])"
        if short
        else "",
        f"(?P<bare>(?<![{HAN}]){short}(?![{HAN}]))" if short else "",
    ]
    return re.compile("|".join(filter(None, parts))) if any(parts) else None


def _tree(words: Sequence[str]) -> str:
    """A pattern of words, the longest match first."""
    if not words:
        return ""
    root: dict[str, object] = {}
    for word in words:
        node = root
        for character in word:
            node = node.setdefault(character, {})  # type: ignore[assignment]
        node[""] = {}
    return _spelled(root)


def _spelled(node: dict[str, object]) -> str:
    run = ""
    while len(node) == 1 and "" not in node:
        [(character, node)] = node.items()  # type: ignore[assignment]
        run += r"\s{1,3}" if character == " " else re.escape(character)
    options = [
        (r"\s{1,3}" if letter == " " else re.escape(letter)) + _spelled(child)  # type: ignore[arg-type]
        for letter, child in node.items()
        if letter
    ]
    if not options:
        return run
    return f"{run}(?:{'|'.join(options)}){'?' if '' in node else ''}"


class _Folds(dict[str, str]):
    def __missing__(self, piece: str) -> str:
        self[piece] = found = folded(piece) or (" " if piece.isspace() else piece)
        return found


_FOLDS = _Folds()


def aligned(text: str) -> tuple[str, Callable[[int], int]]:
    """The folded text, and a function that maps a position in it to the position in the original."""
    if text.isascii():
        return text.lower(), int
    pieces = CLUSTER.findall(text) if COMPOSED.search(text) else text
    low = [_FOLDS[piece] for piece in pieces]
    if pieces is text and all(len(piece) == 1 for piece in low):
        return "".join(low), int
    starts = [0, *accumulate(map(len, low))]
    origins = [0, *accumulate(map(len, pieces))]

    def place(at: int) -> int:
        piece = bisect_right(starts, at) - 1
        return origins[piece if starts[piece] == at else piece + 1]

    return "".join(low), place
