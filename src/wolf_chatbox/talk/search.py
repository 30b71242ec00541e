"""Finds the earlier exchanges that share words with what is said now.

BM25 (Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework: BM25 and Beyond"). It needs no model, and it
can tell which words it went by. A few chats say little about which words are rare. So words are weighed as if OTHERS
exchanges stood beside those that were kept; a library that takes the kept ones alone (bm25s) finds nothing in a chat
that speaks of one thing.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from math import log
from typing import NamedTuple

from wolf_chatbox.conversation import Turn, folded

LONGEST = 6
"""Turns of an exchange at most."""
ASKED = 3
"""Turns at the end of the present chat whose words are looked for."""
OTHERS = 100
"""Exchanges without any of the words, beside those that were kept."""
ENOUGH = 2.0
"""The score from which an exchange fits (see `Found.score`); chosen by bench/memory.py."""
RARE, MOST_OF_IT = 0.8, 0.4
"""An exchange fits the last turn alone from a word about as rare as can be, and this share of the turn's words."""
K1, B = 1.2, 0.75
"""BM25's usual settings for words that come again, and for long texts."""

KANA, HAN = "\u3041-\u309f", "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff々〆"
KATAKANA = "\u30a1-\u30fa\u30fc-\u30ff"
SMALL_TALK = """
    a about above actually after again against ain't all also always am an and any anything are aren't around as at
    away back bad be because been before being believe below better between both but by can can't cannot could
    couldn't day did didn't do does doesn't doing don't down during each even ever every everybody everyone
    everything few for from further get getting give go going gonna good got gotta great guess had hadn't haha hard
    has hasn't have haven't having he he'd he'll hear heard hello her here hers herself hey hi him himself his hmm
    how i i'd i'll i'm i've if in into is isn't it it'd it'll its itself just kind know last let like little lol
    long look lot love made make many maybe me mean might more most much must mustn't my myself need never new nice
    no nobody nor not nothing now of off oh ok okay on once one only or other ought our ours ourselves out over own
    people please pretty probably put quite read real really right said same saw say see seem sense she she'd she'll
    should shouldn't since so some something still stuff such sure take talk tell than thank thanks that the their
    theirs them themselves then there these they they'd they'll they're they've thing think this those though
    thought through time to today tomorrow tonight too true try two under until up us use used very wait want was
    wasn't way we we'd we'll we're we've well went were weren't what when where which while who whom why will with
    won't wonder work would wouldn't wow yeah year yes yesterday yet you you'd you'll you're you've your yours
    yourself yourselves
    私 僕 俺 何 誰 今 行 思 見 言 聞 話 知 好 良 出 入 来 方 気 時 事 人 分 作 使 多 少
    感 願 最近 今日 明日 昨日 本当 結構 全然 一番 確 色々 大変 自分 大丈 丈夫 違 考 前 中 日 持
    付 同
"""
"""What is said in any chat, and so tells nothing of what a chat is about."""
RUN = re.compile(
    rf"(?P<han>[{HAN}]+)|(?P<katakana>[{KATAKANA}]{{2,}})|(?P<word>(?:(?![{KANA}{KATAKANA}{HAN}])\w)"
    rf"(?:(?![{KANA}{KATAKANA}{HAN}])[\w'])*)"
)


class Exchange(NamedTuple):
    """A message and its reply, or in a group a few messages and a reply, of an earlier chat."""

    turns: tuple[Turn, ...]
    chat: str = ""
    """The chat's name."""
    when: datetime = datetime.min
    """When the chat was kept last (local time)."""


class Found(NamedTuple):
    """An exchange that shares words with what is said."""

    at: int
    """Its position among the exchanges."""
    score: float
    """Its BM25 score, in words that stand in no other exchange: 2 weighs as much as two such words of a text of usual
    length."""
    words: tuple[str, ...]
    """The words that it shares, the rarest first."""


@lru_cache(maxsize=20_000)
def words_of(text: str) -> tuple[str, ...]:
    """The words of a text that can tell what it is about, in lower case, in order, each as often as it stands there.

    Where no spaces divide words, pairs of neighbouring kanji stand for words, and runs of katakana. Hiragana (mostly
    particles and endings), the commonest English words and a plural's s are left out.
    """
    return tuple(_words(unicodedata.normalize("NFKC", text).casefold().replace("’", "'")))


def _words(text: str) -> Iterator[str]:
    for found in RUN.finditer(text):
        run = found[0]
        if found.lastgroup == "han":
            pairs = (run[at : at + 2] for at in range(max(1, len(run) - 1)))
            yield from (pair for pair in pairs if pair not in _common())
        elif found.lastgroup == "katakana":
            yield run
        else:
            whole = run.rstrip("'").removesuffix("'s")
            if len(whole) > 1 and whole not in _common():
                yield whole[:-1] if len(whole) > 3 and whole.endswith("s") and not whole.endswith("ss") else whole


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    return frozenset(SMALL_TALK.split())


def exchanges(turns: Sequence[Turn], speaker: str, chat: str = "", when: datetime = datetime.min) -> Iterator[Exchange]:
    """Cut a chat into exchanges: each ends where others speak again after `speaker`, or after LONGEST turns."""
    begun: list[Turn] = []
    for turn in turns:
        answered = bool(begun) and folded(begun[-1].speaker) == folded(speaker) != folded(turn.speaker)
        if answered or len(begun) == LONGEST:
            yield Exchange(tuple(begun), chat, when)
            begun = []
        begun.append(turn)
    if begun:
        yield Exchange(tuple(begun), chat, when)


class Index:
    """The words of exchanges, ready to be searched; the exchanges are in the order of time."""

    def __init__(self, exchanges: Iterable[Exchange]) -> None:
        self.exchanges = tuple(exchanges)
        counts = [Counter(word for turn in each.turns for word in words_of(turn.text)) for each in self.exchanges]
        lengths = [count.total() for count in counts]
        usual = sum(lengths) / len(lengths) if any(lengths) else 1.0
        self._holding: dict[str, dict[int, float]] = defaultdict(dict)
        """For each word the exchanges that hold it, and how much it counts there: 1 for once in one of usual length."""
        for at, (count, length) in enumerate(zip(counts, lengths)):
            for word, times in count.items():
                self._holding[word][at] = times * (K1 + 1) / (times + K1 * (1 - B + B * length / usual))

    def weight(self, word: str) -> float:
        """How much a word tells (inverse document frequency), as a share of what one tells that only one exchange has.

        A word that no exchange has tells a little more than that.
        """
        exchanges = len(self.exchanges) + OTHERS
        holding = len(self._holding.get(word, ()))
        return log(1 + (exchanges - holding + 0.5) / (holding + 0.5)) / log(1 + (exchanges - 0.5) / 1.5)

    def find(self, words: Iterable[str]) -> list[Found]:
        """The exchanges that hold any of the words; the highest score first, and of equal ones the most recent."""
        scores: dict[int, float] = defaultdict(float)
        shared: dict[int, list[str]] = defaultdict(list)
        asked = sorted(set(words) & self._holding.keys(), key=lambda word: (-self.weight(word), word))
        for word in asked:
            weight = self.weight(word)
            for at, counts in self._holding[word].items():
                scores[at] += weight * counts
                shared[at].append(word)
        best = sorted(scores, key=lambda at: (-round(scores[at], 9), -at))
        return [Found(at, scores[at], tuple(shared[at])) for at in best]

    def fitting(self, turns: Sequence[Turn]) -> list[Found]:
        """The exchanges that fit the end of a chat, the best first.

        One fits from a score of ENOUGH for the last turns together. It fits a short last turn alone too, by a rare
        word: "Where is Bella?"
        """
        if not turns:
            return []
        together = self.find(word for turn in turns[-ASKED:] for word in words_of(turn.text))
        last = set(words_of(turns[-1].text))

        def fits(found: Found) -> bool:
            shared = last & set(found.words)
            rare = sum(map(self.weight, shared)) >= RARE
            return found.score >= ENOUGH or (rare and len(shared) >= MOST_OF_IT * len(last))

        return [found for found in together if fits(found)]
