"""Keeps a reply from repeating itself, by whole words, so that no name is broken in the middle.

Two rules. No phrase of so many words is said twice in a reply: where its last word would begin again, that word is
barred, however a tokenizer may cut it. And no piece of text stands more than four times in a row ("hahaha…",
"no no no …"). Letters that a tokenizer cuts into bytes (Japanese in GPT-2's) are never barred, because half a letter
cannot be taken back. A ban on token n-grams, as `no_repeat_ngram_size`, hits names and catchphrases of several tokens
instead (docs/benchmarks.md).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import cycle, islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wolf_chatbox.samples.tokenizer import Tokenizer

IDEOGRAPHS, HIRAGANA = "\u30a0-\u30ff\u3400-\u4dbf\u4e00-\u9fff々〆", "\u3040-\u309f"
WORD = re.compile(
    # Japanese has no spaces: a word with the particles or the ending that follow it counts as one.
    rf"[{IDEOGRAPHS}]+[{HIRAGANA}]*|[{HIRAGANA}]+"
    rf"|(?:(?![{IDEOGRAPHS}{HIRAGANA}])\w)(?:(?![{IDEOGRAPHS}{HIRAGANA}])[\w'’-])*"
)
MOST_IN_A_ROW, MOST_LETTERS_IN_A_ROW = 4, 8
LONGEST_TOKEN = 32


class Repetition:
    """Finds the tokens of one tokenizer that would repeat what a reply has said."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer

    def barred(self, reply: Sequence[int], phrase: int) -> list[int]:
        """The ids that may not come next; a phrase of `phrase` words may not be said twice."""
        text = str(self.tokenizer.decode(list(reply), skip_special_tokens=True)).casefold()
        return [id for start in (*_said_again(text, phrase), *_in_a_row(text)) for id in self._beginning(start)]

    def _beginning(self, text: str) -> Iterator[int]:
        """The ids of all tokens that `text` begins with, without a lone space, which any word may follow."""
        for size in range(1, min(len(text), LONGEST_TOKEN) + 1):
            if not text[:size].isspace() or text.isspace():
                yield from self._ids.get(text[:size], ())

    @cached_property
    def _ids(self) -> dict[str, list[int]]:
        """The ids of each token's text in lower case; built at the first repetition, because it takes a second."""
        # Decoded after another token, a token keeps its leading space.
        before = self.tokenizer("x", add_special_tokens=False).input_ids[-1]
        alone = len(str(self.tokenizer.decode([before])))
        ids: dict[str, list[int]] = defaultdict(list)
        texts = self.tokenizer.batch_decode([[before, id] for id in range(len(self.tokenizer))])
        for id, text in enumerate(texts):
            ids[text[alone:].casefold()].append(id)
        return ids


def _said_again(text: str, phrase: int) -> Iterator[str]:
    """The words, with and without a space before them, that would complete a phrase that was said before."""
    words = WORD.findall(text)
    last = words[len(words) - phrase + 1 :]
    for at in range(len(words) - phrase + 1):
        if words[at : at + phrase - 1] == last:
            word = words[at + phrase - 1]
            # After a hyphen, for example, the word would join the one before it and be another word.
            yield from (space + word for space in (" ", "") if WORD.findall(text + space + word) == [*words, word])


def _in_a_row(text: str) -> Iterator[str]:
    """How the text would continue if the piece at its end, repeated as often as is allowed, came once more."""
    for size in range(1, len(text) // MOST_IN_A_ROW + 1):
        piece = text[-size:]
        if text.endswith(piece * (MOST_LETTERS_IN_A_ROW if size == 1 else MOST_IN_A_ROW)):
            # A piece of several words ends between two of them; "hahaha" ends anywhere.
            if re.fullmatch(r"\w+", piece) or not re.fullmatch(r"\w\w", piece[-1] + piece[0]):
                yield "".join(islice(cycle(piece), LONGEST_TOKEN))
            return
