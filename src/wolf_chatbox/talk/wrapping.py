"""Wraps a text that is still being drawn: at words, and in Japanese by its own rules (kinsoku, JIS X 4051)."""

from __future__ import annotations

from collections.abc import Callable

from rich.cells import cell_len

SPACES = " \u3000"
NEVER_FIRST = frozenset(
    "。、，．,.・:;：；!?！？‼⁇⁈⁉…‥)]}）］｝〕〉》」』】〙〗〟｠’”"
    "ーぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶㇰㇱㇲㇳㇴㇵㇶㇷㇸㇹㇺㇻㇼㇽㇾㇿ々〻ゝゞヽヾ゛゜‐–—―〜～゠%％‰°℃′″"
    "｡､･｣ﾞﾟｰｧｨｩｪｫｬｭｮｯ"
)
"""Characters that no line begins with."""
NEVER_LAST = frozenset("([{（［｛〔〈《「『【〘〖〝｟‘“｢$￥¥£￡€＄#＃№")
"""Characters that no line ends with."""
NEVER_APART = frozenset("\u00a0\u202f\u2060\ufeff\u200d\"'")
"""Characters with no line break on either side, except at a space."""
TAB = "    "


class Wrapper:
    """Takes a text piece by piece and returns it with line breaks: `feed` the pieces, `flush` at the end.

    A growing word is held back until it is known to fit. `width` returns the terminal's columns; it is called for each
    word, so a resized terminal counts at once. A break replaces the spaces around it; a word longer than a line is
    broken at the line's end. How the text is cut into pieces makes no difference. A tab is four spaces.

    wrapper = Wrapper(lambda: os.get_terminal_size().columns)
    for piece in session.stream("Where are we?"):
        print(wrapper.feed(piece), end="", flush=True)
    print(wrapper.flush())
    """

    def __init__(self, width: Callable[[], int]) -> None:
        self._width = width
        self._column = 0
        self._held = ""  # spaces, what may not be broken, and spaces again

    def feed(self, piece: str) -> str:
        """Add a piece; returns what can be printed now."""
        return "".join(map(self._take, piece.replace("\t", TAB)))

    def flush(self) -> str:
        """Return the rest, where the text ends or pauses; trailing spaces wait for what follows."""
        return self._break_long() + self._place("")

    def _take(self, character: str) -> str:
        if character == "\n":
            ready = self.flush()
            self._held, self._column = "", 0
            return ready + character
        ready = self._break_long()
        if self._breaks_before(character):
            return ready + self._place(character)
        self._held += character
        return ready

    def _breaks_before(self, character: str) -> bool:
        if character in SPACES or not self._held.strip(SPACES):
            return False
        if self._held[-1] in SPACES:  # a break there takes their place
            return character not in NEVER_FIRST and self._held.rstrip(SPACES)[-1] not in NEVER_LAST
        return may_break(self._held[-1], character) and (is_wide(self._held[-1]) or is_wide(character))

    def _place(self, following: str) -> str:
        """What is held, on this line if it fits, else on the next; its last spaces and `following` stay held."""
        word = self._held.rstrip(SPACES)
        self._held = self._held[len(word) :] + following
        if self._column + cell_len(word) > self._width():
            word = ("\n" if self._column else "") + word.lstrip(SPACES)
            self._column = 0
        self._column += cell_len(word.removeprefix("\n"))
        return word

    def _break_long(self) -> str:
        """The full lines of a word that is longer than a line."""
        ready = ""
        while at := cut(self._held.strip(SPACES), max(1, self._width())):
            spaces = len(self._held) - len(self._held.lstrip(SPACES))
            rest, self._held = self._held[spaces + at :], self._held[: spaces + at]
            ready += self._place("")
            self._held += rest
        return ready


def wrapped(text: str, width: int, indent: int = 0) -> str:
    """A whole text with line breaks; all lines but the first begin with `indent` spaces."""
    wrapper = Wrapper(lambda: max(1, width - indent))
    return (wrapper.feed(text) + wrapper.flush()).replace("\n", "\n" + " " * indent)


def cut(word: str, width: int) -> int:
    """Where to break a word longer than `width` columns, by the rules if possible; 0 for one that is not longer."""
    if cell_len(word) <= width:
        return 0
    places = [at for at in range(1, len(word)) if not is_glued(word[at - 1], word[at])]
    fitting = [at for at in places if cell_len(word[:at]) <= width]
    return max(
        (at for at in fitting if may_break(word[at - 1], word[at]) and _keeps_marks(word[:at], word[at:])),
        default=max(fitting, default=min(places, default=0)),
    )


def _keeps_marks(line: str, rest: str) -> bool:
    """Whether a break leaves marks where they belong, also with the spaces gone that it takes the place of."""
    return line.rstrip(SPACES)[-1] not in NEVER_LAST and rest.lstrip(SPACES)[0] not in NEVER_FIRST


def may_break(before: str, after: str) -> bool:
    """Whether a line may end with one character and the next line begin with the other."""
    return not (
        is_glued(before, after) or after in NEVER_FIRST or before in NEVER_LAST or {before, after} & NEVER_APART
    )


def is_glued(before: str, after: str) -> bool:
    """Whether two characters display as one (UAX #29 in short): letters with marks, emoji of several parts."""
    return before == "\u200d" or "\U0001f3fb" <= after <= "\U0001f3ff" or cell_len(after) == 0


def is_wide(character: str) -> bool:
    """Whether its script is written without spaces: two columns wide, or half-width kana."""
    return cell_len(character) == 2 or "\uff61" <= character <= "\uff9f"
