"""An inspection as one HTML page without any other file: light and dark, for wide windows and phones (report.html)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from wolf_chatbox.errors import Setting
from wolf_chatbox.samples.inspection import Inspection, copies
from wolf_chatbox.visible import visible
from wolf_chatbox.werewolf.statistics import HEARD_BY, NO_WINNER, GameStatistics

if TYPE_CHECKING:
    from jinja2 import Template

MOST_MONTHS = 36
"""The most months that are shown; a longer time is shown by year."""
MOST_SPEAKERS = 20


def to_html(found: Inspection) -> str:
    """The page; what comes from the data is escaped, and its control characters and direction marks are visible."""
    speakers = found.speakers[:MOST_SPEAKERS]
    period, times = _over_time(found.months)
    page = _template().render(
        found=found,
        facts={
            "turns read": found.read,
            "kept": found.kept,
            "joined": found.joined,
            "dropped": sum(found.dropped.values()),
            "conversations": found.conversations,
            "speakers": len(found.speakers),
        },
        copies=copies(found),
        speakers={speaker.name: speaker.turns for speaker in speakers},
        spoken=[f"{speaker.turns:,} · {speaker.characters:.0f}" for speaker in speakers],
        period=period,
        times=times,
        languages={code: round(100 * share, 1) for code, share in found.languages.items()},
        games=_games(found.games) if found.games else {},
    )
    return visible(page)


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    page = Environment(
        loader=PackageLoader("wolf_chatbox", "samples"),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    page.filters["minute"] = lambda time: time[:16].replace("T", " ")
    page.tests["flag"] = lambda part: isinstance(part, Setting)
    return page.get_template("report.html")


def _games(games: GameStatistics) -> dict[str, Mapping[str, float]]:
    """Bars by title."""
    utterances: dict[str, float] = {}
    characters: dict[str, float] = {}
    for talk in games.talk:
        for means, count in ((utterances, talk.utterances), (characters, talk.characters)):
            means[f"{HEARD_BY[talk.channel]}, per game"] = round(talk.a_game(count), 1)
            means[f"{HEARD_BY[talk.channel]}, per player"] = round(talk.a_player(count), 1)
    bars: dict[str, Mapping[str, float]] = {
        f"Werewolf games ({games.games:,}) by data set, language and size": {
            f"{table.source}, {table.language}, {table.players} players": table.games for table in games.tables
        },
        "Games by winning side": {side or NO_WINNER: count for side, count in games.wins.items()},
        "Wins of a role's side, in % of the games with that role": {
            wins.role: round(100 * wins.share, 1) for wins in games.roles
        },
        "Utterances by who hears them": utterances,
        "Characters by who hears them": characters,
    }
    for claim in dict.fromkeys(claim for claims in games.claims for claim in claims.claimed):
        bars[f"Players who claim to be {claim}, in % of the players of each role"] = {
            claims.role: round(100 * claims.claimed.get(claim, 0) / claims.players, 1) for claims in games.claims
        }
    return bars


def _over_time(months: Mapping[str, int]) -> tuple[str, Mapping[str, int]]:
    """What the bars stand for, month or year, and the turns in each, also where there are none."""
    if not months:
        return "month", {}
    first, last = (12 * int(month[:4]) + int(month[5:]) - 1 for month in (min(months), max(months)))
    every = {f"{at // 12:04}-{at % 12 + 1:02}": 0 for at in range(first, last + 1)} | dict(months)
    if len(every) <= MOST_MONTHS:
        return "month", every
    years: Counter[str] = Counter()
    for month, count in every.items():
        years[month[:4]] += count
    return "year", years
