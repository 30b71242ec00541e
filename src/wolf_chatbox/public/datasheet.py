"""The datasheet of a corpus of games: sources, licences, contents, what was dropped, known biases.

It answers the questions of Gebru et al. (2021), Datasheets for Datasets, https://arxiv.org/abs/1803.09010, as far as
counts can.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Literal

from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.game import SIDES
from wolf_chatbox.public.catalogue import PublicSet

if TYPE_CHECKING:
    from jinja2 import Template

Language = Literal["en", "ja"]
Row = Sequence[str | int]


@dataclass
class Part:
    """The counts of one set; `tally` has the turns kept and dropped."""

    set: PublicSet
    tally: Tally = field(default_factory=Tally)
    games: Counter[str] = field(default_factory=Counter)
    """By language."""
    seats: Counter[int] = field(default_factory=Counter)
    """Games by number of players."""
    roles: Counter[str] = field(default_factory=Counter)
    winners: Counter[str] = field(default_factory=Counter)
    """Games by winning side; "" if none won or the source does not say."""
    channels: Counter[str] = field(default_factory=Counter)
    """Utterances by who hears them."""
    characters: int = 0
    recordings: Counter[str] = field(default_factory=Counter)
    """Games by the name that the recordings of one game share."""

    def add(self, conversation: Conversation) -> None:
        """Count one game."""
        game = conversation.game
        assert game is not None
        self.games[game.language] += 1
        self.seats[len(game.players)] += 1
        self.roles.update(player.first_role or "?" for player in game.players)
        self.winners[game.winner] += 1
        self.channels.update(turn.channel for turn in conversation.turns)
        self.characters += sum(len(turn.text) for turn in conversation.turns)
        if game.same_as:
            self.recordings[game.same_as] += 1

    def row(self) -> Row:
        """Its row in the table of sets."""
        return (
            self.set.name,
            ", ".join(f"{code} {count:,}" for code, count in self.games.most_common()),
            self.games.total(),
            ", ".join(map(str, sorted(self.seats))),
            sum(players * games for players, games in self.seats.items()),
            self.tally.kept,
            self.characters,
            self.set.licence,
        )


def datasheet(parts: Sequence[Part], files: Mapping[str, tuple[str, int, int]], language: Language) -> str:
    """The datasheet as Markdown, from datasheet.LANGUAGE.md; `files` has each file's language, games and turns."""
    recordings = [count for count in _sum(part.recordings for part in parts).values() if count > 1]
    winners = _sum(part.winners for part in parts)
    channels = _sum(part.channels for part in parts)
    roles = sorted(_sum(part.roles for part in parts), key=lambda role: ([*SIDES, role].index(role), role))
    return _template(language).render(
        parts=parts,
        names=[part.set.name for part in parts],
        games=sum(part.games.total() for part in parts),
        kept=sum(part.tally.kept for part in parts),
        dropped=sum(part.tally.dropped.total() for part in parts),
        files=[(f"`{name}`", *counts) for name, counts in files.items()],
        sets=[part.row() for part in parts],
        roles=_rows([part.roles for part in parts], roles),
        winners=_rows([part.winners for part in parts], [side for side, _ in winners.most_common()]),
        channels=_rows([part.channels for part in parts], [channel for channel, _ in channels.most_common()]),
        reasons=[(part.set.name, *dropped) for part in parts for dropped in part.tally.dropped.most_common()],
        notes=[(part.set.name, note) for part in parts for note in part.tally.notes],
        recordings=sum(recordings),
        recorded=len(recordings),
        unchecked=[part.set.name for part in parts if not part.set.files],
        version=version("wolf_chatbox"),
    )


@cache
def _template(language: Language) -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    markdown = Environment(
        loader=PackageLoader("wolf_chatbox", "public"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    markdown.globals["table"] = table
    markdown.filters["labelled"] = _labelled
    return markdown.get_template(f"datasheet.{language}.md")


def _sum(counts: Iterable[Counter[str]]) -> Counter[str]:
    return sum(counts, Counter[str]())


def _rows(counts: Sequence[Counter[str]], keys: Iterable[str]) -> list[Row]:
    """A row for each key: its count in each set, and the sum."""
    return [(key, *(count[key] for count in counts), sum(count[key] for count in counts)) for key in keys]


def _labelled(rows: Iterable[Row], labels: Mapping[str, str]) -> list[Row]:
    """The rows with words instead of keys that a reader does not know."""
    return [(labels.get(str(key), key), *counts) for key, *counts in rows]


def table(head: Sequence[str], rows: Sequence[Row]) -> str:
    """A Markdown table; numbers are aligned to the right."""
    rule = ["---:" if rows and isinstance(cell, int) else "---" for cell in (rows[0] if rows else head)]
    body = [[f"{cell:,}" if isinstance(cell, int) else cell.replace("|", "\\|") for cell in row] for row in rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, rule, *body))
