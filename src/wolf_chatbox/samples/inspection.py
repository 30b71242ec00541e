"""What is in a person's conversations: counts, speakers, languages, times, and what of it should be looked after."""

from __future__ import annotations

import bisect
import re
import statistics
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.languages import language_of
from wolf_chatbox.data.near_duplicates import FEW, NearDuplicates, leak
from wolf_chatbox.data.split import count_speakers, split
from wolf_chatbox.data.tally import Tally, Unread
from wolf_chatbox.samples.dataset import Dataset
from wolf_chatbox.samples.packing import share_filled
from wolf_chatbox.werewolf.statistics import GameStatistics, count_games

LITTLE = 200
"""Turns below which little can be learnt."""
ALONE = 0.97
"""A speaker's share of the turns above which nobody is there to be answered."""
MOST_COMPARED = 2000
"""Conversations compared for near duplicates and languages at most, evenly taken."""
ENOUGH = 40
"""Characters below which a conversation's language is not told."""
BINS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


@dataclass(frozen=True)
class Speaker:
    name: str
    turns: int
    share: float
    characters: float
    """Mean length of a turn."""


@dataclass(frozen=True)
class Tokens:
    """Lengths under a base model's tokenizer."""

    model: str
    style: str
    all: int
    learnt: int
    held_out: int
    row: int
    rows: int
    """Rows to learn from; what is held out has its own."""
    filled: float
    turn_median: int
    turn_most: int
    lengths: dict[str, int]
    """Turns by their length in tokens: up to 1, 2, 4, 8, …"""
    over_row: int
    """Turns that are longer than a row; those to learn are cut."""
    samples: list[list[tuple[str, bool]]]
    """Samples as the model sees them: pieces of text, and whether they are learnt."""


@dataclass
class Inspection:
    """Everything that `wolf-chatbox data inspect` tells; `to_dict` is its JSON form."""

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
    """Turns by their length in characters: up to 1, 2, 4, 8, …"""
    months: dict[str, int]
    """Turns by month, where the source tells times."""
    first: str | None
    last: str | None
    languages: dict[str, float]
    near_duplicates: float
    """Share of the conversations that are nearly another one before them."""
    leak: float | None
    """Share of the held-out conversations that are nearly one to learn from, at the split to be trained; None where none could be compared."""
    notes: list[str]
    unread: list[Unread]
    """Files that could not be read, or not to their end; the notes tell them too."""
    tokens: Tokens | None = None
    games: GameStatistics | None = None
    """Of the conversations that are games of werewolf, where some are."""
    examples: list[list[tuple[str, str]]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def hidden(self, tally: Tally) -> Inspection:
        """A copy to pass on: without names of files, and without what reading noted, which may quote names."""
        told = tally.notices()
        unread = [replace(each, path="", reason="") for each in self.unread]
        return replace(
            self, files=tally.files(hidden=True), notes=[note for note in self.notes if note not in told], unread=unread
        )


def inspect(
    conversations: Sequence[Conversation], tally: Tally, dataset: Dataset | None = None, model: str = ""
) -> Inspection:
    """Look at conversations that were read and cleaned; `dataset` is what training would make of them with `model`."""
    turns = [turn for conversation in conversations for turn in conversation.turns]
    counts = count_speakers(conversations)
    characters: Counter[str] = Counter()
    for turn in turns:
        characters[turn.speaker] += len(turn.text)
    times = sorted(turn.time for turn in turns if turn.time)
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
        characters=characters.total(),
        speakers=[
            Speaker(name, count, count / len(turns), characters[name] / count) for name, count in counts.most_common()
        ],
        lengths=binned([len(turn.text) for turn in turns]),
        months=dict(sorted(Counter(f"{time:%Y-%m}" for time in times).items())),
        first=times[0].isoformat(timespec="seconds") if times else None,
        last=times[-1].isoformat(timespec="seconds") if times else None,
        languages=languages(some[:: max(1, len(some) // 300)]),
        near_duplicates=near_duplicates(some),
        leak=dataset.leak if dataset else leak(*split(conversations, 0.1, 0)[:2]),
        notes=list(dict.fromkeys([*tally.notices(), *(dataset.notices if dataset else [])])),
        unread=list(tally.unread),
        tokens=tokens_of(dataset, model, conversations) if dataset else None,
        games=count_games(conversations),
        examples=[
            [(turn.speaker, turn.text) for turn in conversation.turns[:6]] for conversation in _spread(conversations, 3)
        ],
    )
    found.warnings = warn(found, [turn.text for turn in turns])
    return found


def binned(lengths: Sequence[int]) -> dict[str, int]:
    """How many lengths are up to 1, 2, 4, 8, …, from the first bin that holds some to the last."""
    names = [*map(str, BINS), "more"]
    counts = Counter(bisect.bisect_left(BINS, length) for length in lengths)
    return {names[at]: counts[at] for at in range(min(counts), max(counts) + 1)} if counts else {}


def tokens_of(dataset: Dataset, model: str, conversations: Sequence[Conversation]) -> Tokens:
    """The lengths of all turns, and some samples of a data set."""
    lengths = [len(dataset.renderer.turn(turn).ids) for conversation in conversations for turn in conversation.turns]
    samples = [sample for row in dataset.rows for sample in row]
    decode = dataset.renderer.tokenizer.decode
    shown = []
    for sample in _spread(samples, 2):
        pieces: list[tuple[str, bool]] = []
        ids: list[int] = []
        learnt = False
        for id, learn in zip([*sample.ids[:300], -1], [*sample.learn[:300], None]):
            if learn is not learnt:
                if ids:
                    pieces.append((str(decode(ids)), learnt))
                ids, learnt = [], bool(learn)
            ids.append(id)
        shown.append(pieces)
    return Tokens(
        model,
        dataset.renderer.style.name,
        dataset.tokens,
        dataset.learnt_tokens,
        sum(len(sample) for row in dataset.held_out_rows for sample in row),
        dataset.max_tokens,
        len(dataset.rows),
        share_filled(dataset.rows, dataset.max_tokens),
        int(statistics.median(lengths)),
        max(lengths),
        binned(lengths),
        sum(length > dataset.max_tokens for length in lengths),
        shown,
    )


def near_duplicates(conversations: Sequence[Conversation]) -> float:
    """The share of conversations that are nearly one before them."""
    texts = ["\n".join(turn.text for turn in each.turns) for each in conversations if len(each.turns) >= FEW]
    index, near = NearDuplicates(), 0
    for text in texts:
        near += index.find(text)
        index.add(text)
    return near / len(texts) if texts else 0.0


def languages(conversations: Sequence[Conversation]) -> dict[str, float]:
    """The share of the conversations in each language, the largest first."""
    counts = Counter(
        language_of(each) for each in conversations if sum(len(turn.text) for turn in each.turns) >= ENOUGH
    )
    return {code: count / counts.total() for code, count in counts.most_common()}


def alike(names: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of names that look like one person's: the same but for case, accents, marks and spaces."""
    plain: dict[str, str] = {}
    pairs = []
    for name in names:
        bare = re.sub(
            r"[\W_]",
            "",
            "".join(each for each in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(each)),
        )
        if bare and bare in plain:
            pairs.append((plain[bare], name))
        else:
            plain[bare] = name
    return pairs


def warn(found: Inspection, texts: Sequence[str]) -> list[str]:
    """What should be looked after, each with what can be done."""
    from ftfy.badness import is_bad

    warnings = []
    if found.kept < LITTLE:
        warnings.append(
            f"only {found.kept} turns: a character's voice needs some hundreds, better thousands. Add data."
        )
    if found.speakers and len(found.speakers) > 1 and found.speakers[0].share >= ALONE:
        warnings.append(
            f"{found.speakers[0].name} has {found.speakers[0].share:.0%} of the turns: hardly anything to answer. Add what others say."
        )
    if len(found.speakers) == 1:
        warnings.append(f"only {found.speakers[0].name} speaks: a model learns to go on talking, not to answer.")
    broken = sum("\ufffd" in text or is_bad(text) for text in texts)
    if broken:
        warnings.append(f"turns with broken characters: {broken}. Try --repair, or read with another --encoding.")
    if found.near_duplicates > 0.01:
        warnings.append(
            f"{found.near_duplicates:.0%} of the conversations are nearly there twice. Drop them with --duplicates near."
        )
    if found.leak:
        warnings.append(
            f"{found.leak:.0%} of the held-out conversations are nearly ones to learn from: figures will flatter. Use --duplicates near."
        )
    for one, other in alike([each.name for each in found.speakers])[:5]:
        warnings.append(f"{one} and {other} look like one person. Give them one name in the data.")
    if len(found.languages) > 1 and list(found.languages.values())[1] >= 0.1:
        mix = ", ".join(f"{code} {share:.0%}" for code, share in list(found.languages.items())[:3])
        warnings.append(f"several languages ({mix}). Keep one with --languages {next(iter(found.languages))}.")
    numbers = [each.name for each in found.speakers if re.fullmatch(r"\+?[\d ()-]{7,}|\S+@\S+\.\S+", each.name)]
    if numbers:
        warnings.append(
            f"speakers that go by a number or an address: {len(numbers)}. Hide them with --pseudonyms FILE."
        )
    if found.tokens and found.tokens.over_row:
        warnings.append(
            f"{found.tokens.over_row} turns are longer than a row of {found.tokens.row} tokens and are cut. Raise --max-tokens."
        )
    return warnings


def copies(found: Inspection) -> str:
    """How much is there nearly twice, in words."""
    leak = "" if found.leak is None else f"; of those held out, {found.leak:.1%} are nearly ones to learn from"
    return f"{found.near_duplicates:.1%} of the conversations are nearly one before them{leak}"


def _spread(items: Sequence[Any], count: int) -> list[Any]:
    return [items[(2 * each + 1) * len(items) // (2 * count)] for each in range(min(count, len(items)))]
