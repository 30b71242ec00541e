"""What is in conversations: counts, speakers, languages, times, lengths, samples, and warnings."""

from __future__ import annotations

import bisect
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import groupby
from operator import itemgetter
from typing import Any

from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.languages import language_of
from wolf_chatbox.data.near_duplicates import FEW, NearDuplicates, leak, text_of
from wolf_chatbox.data.split import count_speakers, split
from wolf_chatbox.data.tally import Tally, Unread
from wolf_chatbox.samples.packing import share_filled
from wolf_chatbox.samples.rendering import Sample
from wolf_chatbox.samples.rows import Dataset
from wolf_chatbox.samples.warnings import Advice, warnings
from wolf_chatbox.scene import Scene
from wolf_chatbox.werewolf.statistics import GameStatistics, count_games

MOST_COMPARED = 2000
"""The most conversations that are searched for near-duplicates, evenly spaced."""
MOST_CLASSIFIED = 300
"""The most conversations whose languages are counted."""
ENOUGH = 40
"""Characters below which a conversation's language is not counted."""
BINS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
SHOWN_TOKENS = 300
SHOWN_TURNS = 6


@dataclass(frozen=True)
class Speaker:
    name: str
    turns: int
    share: float
    characters: float
    """Mean length of a turn."""


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """Counts and lengths with a base model's tokenizer."""

    model: str
    style: str
    all: int
    learnt: int
    held_out: int
    row: int
    """The most tokens in a row."""
    rows: int
    """Rows of the training split."""
    filled: float
    turn_median: int
    turn_most: int
    lengths: dict[str, int]
    """Turns by length in tokens: up to 1, 2, 4, 8, …"""
    over_row: int
    """Turns that are longer than a row; those to learn are cut."""
    samples: list[list[tuple[str, bool]]]
    """Samples as the model sees them: pieces of text, and whether they are learnt."""


@dataclass(kw_only=True)
class Inspection:
    """Everything that `wolf-chatbox data inspect` shows; `to_dict` is its JSON form."""

    files: list[tuple[str, str]]
    read: int
    kept: int
    joined: int
    dropped: dict[str, int]
    changed: dict[str, int]
    conversations: int
    groups: int
    turns_a_conversation: tuple[int, int, int]
    """Least, median, most."""
    characters: int
    speakers: list[Speaker]
    lengths: dict[str, int]
    """Turns by length in characters: up to 1, 2, 4, 8, …"""
    months: dict[str, int]
    """Turns by month, where the source has times."""
    first: str | None
    last: str | None
    languages: dict[str, float]
    near_duplicates: float
    """Share of the conversations that are near-duplicates of an earlier one."""
    leak: float | None
    """Share of the held-out conversations that are near-duplicates of training data; None if none could be compared."""
    notes: list[str]
    unread: list[Unread]
    """Files that could not be read, or only in part; the notes name them too."""
    tokens: Tokens | None = None
    games: GameStatistics | None = None
    """Of the werewolf games among the conversations, if any."""
    briefings: dict[str, int] = field(default_factory=dict)
    """Characters of what each knows by a card, by their names."""
    examples: list[list[tuple[str, str]]] = field(default_factory=list)
    warnings: list[Advice] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"warnings": list(map(str, self.warnings))}

    def hidden(self, tally: Tally) -> Inspection:
        """A copy to publish: without file names, and without the notes of reading, which may quote names."""
        private = tally.notices()
        notes = [note for note in self.notes if note not in private]
        unread = [replace(file, path="", reason="") for file in self.unread]
        return replace(self, files=tally.files(hidden=True), notes=notes, unread=unread)


def inspect(
    conversations: Sequence[Conversation], tally: Tally, dataset: Dataset | None = None, model: str = ""
) -> Inspection:
    """Inspect conversations that were read and cleaned; `dataset` is what a training of `model` would make of them."""
    texts = [turn.text for conversation in conversations for turn in conversation.turns]
    times = sorted(turn.time for conversation in conversations for turn in conversation.turns if turn.time)
    sizes = [len(conversation.turns) for conversation in conversations]
    some = conversations[:: max(1, len(conversations) // MOST_COMPARED)]
    found = Inspection(
        files=tally.files(),
        read=tally.read,
        kept=tally.kept,
        joined=tally.joined,
        dropped=dict(tally.dropped),
        changed={kind: count for kind, count in tally.changed.items() if count},
        conversations=len(conversations),
        groups=len({conversation.group for conversation in conversations}),
        turns_a_conversation=(min(sizes), int(statistics.median(sizes)), max(sizes)) if sizes else (0, 0, 0),
        characters=sum(map(len, texts)),
        speakers=speakers_of(conversations),
        lengths=binned([len(text) for text in texts]),
        months=dict(sorted(Counter(f"{time:%Y-%m}" for time in times).items())),
        first=times[0].isoformat(timespec="seconds") if times else None,
        last=times[-1].isoformat(timespec="seconds") if times else None,
        languages=languages(some[:: max(1, len(some) // MOST_CLASSIFIED)]),
        near_duplicates=near_duplicates(some),
        leak=dataset.leak if dataset else leak(*split(conversations, 0.1, 0)[:2]),
        notes=list(dict.fromkeys([*tally.notices(), *(dataset.notices if dataset else [])])),
        unread=list(tally.unread),
        tokens=tokens_of(dataset, model, conversations) if dataset else None,
        games=count_games(conversations),
        briefings={name: len(text) for talk in conversations for name, text in talk.briefings.items() if text},
        examples=[
            [(turn.speaker, turn.text) for turn in conversation.turns[:SHOWN_TURNS]]
            for conversation in _spread(conversations, 3)
        ],
    )
    found.warnings = warnings(found, texts)
    return found


def speakers_of(conversations: Sequence[Conversation]) -> list[Speaker]:
    """The speakers, the one with most turns first."""
    counts = count_speakers(conversations)
    characters: Counter[str] = Counter()
    for conversation in conversations:
        for turn in conversation.turns:
            characters[turn.speaker] += len(turn.text)
    total = counts.total()
    return [Speaker(name, count, count / total, characters[name] / count) for name, count in counts.most_common()]


def binned(lengths: Sequence[int]) -> dict[str, int]:
    """How many lengths are up to 1, 2, 4, 8, …, from the first to the last bin that is not empty."""
    names = [*map(str, BINS), "more"]
    counts = Counter(bisect.bisect_left(BINS, length) for length in lengths)
    return {names[at]: counts[at] for at in range(min(counts), max(counts) + 1)} if counts else {}


def tokens_of(dataset: Dataset, model: str, conversations: Sequence[Conversation]) -> Tokens:
    """The lengths of all turns, and some samples of a data set."""
    scenes = [Scene.of(conversation) for conversation in conversations]
    lengths = [len(dataset.renderer.turn(turn, scene).ids) for scene in scenes for turn in scene.turns]
    samples = [sample for row in dataset.rows for sample in row]
    return Tokens(
        model=model,
        style=dataset.renderer.style.name,
        all=dataset.tokens,
        learnt=dataset.learnt_tokens,
        held_out=sum(len(sample) for row in dataset.held_out_rows for sample in row),
        row=dataset.max_tokens,
        rows=len(dataset.rows),
        filled=share_filled(dataset.rows, dataset.max_tokens),
        turn_median=int(statistics.median(lengths)),
        turn_most=max(lengths),
        lengths=binned(lengths),
        over_row=sum(length > dataset.max_tokens for length in lengths),
        samples=[list(_pieces(sample, dataset)) for sample in _spread(samples, 2)],
    )


def _pieces(sample: Sample, dataset: Dataset) -> Iterator[tuple[str, bool]]:
    """The beginning of a sample as stretches of text, learnt and not learnt in turn."""
    shown = zip(sample.ids[:SHOWN_TOKENS], sample.learn[:SHOWN_TOKENS])
    for learnt, stretch in groupby(shown, key=itemgetter(1)):
        yield str(dataset.renderer.tokenizer.decode([id for id, _ in stretch])), learnt > 0


def near_duplicates(conversations: Sequence[Conversation]) -> float:
    """The share of the conversations that are near-duplicates of an earlier one."""
    texts = [text_of(conversation) for conversation in conversations if len(conversation.turns) >= FEW]
    index, near = NearDuplicates(), 0
    for text in texts:
        near += index.find(text)
        index.add(text)
    return near / len(texts) if texts else 0.0


def languages(conversations: Sequence[Conversation]) -> dict[str, float]:
    """The share of the conversations in each language, the largest first."""
    long = (each for each in conversations if sum(len(turn.text) for turn in each.turns) >= ENOUGH)
    counts = Counter(map(language_of, long))
    return {code: count / counts.total() for code, count in counts.most_common()}


def copies(found: Inspection) -> str:
    """How many near-duplicates there are, as a sentence."""
    near = f"{found.near_duplicates:.1%} of the conversations are near-duplicates of an earlier one"
    if found.leak is None:
        return near
    return f"{near}; {found.leak:.1%} of the held-out conversations are near-duplicates of training data"


def _spread(items: Sequence[Any], count: int) -> list[Any]:
    """At most this many of the items, evenly spaced."""
    return [items[(2 * at + 1) * len(items) // (2 * count)] for at in range(min(count, len(items)))]
