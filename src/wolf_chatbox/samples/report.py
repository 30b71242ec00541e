"""An inspection as one page of HTML that needs nothing else: light and dark, for a wide window and a phone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from html import escape

from wolf_chatbox.samples.inspection import Inspection, copies
from wolf_chatbox.visible import visible
from wolf_chatbox.werewolf.statistics import HEARD_BY, GameStatistics, Timeline

STYLE = """
:root { color-scheme: light dark; --back: #fbfbfa; --text: #22252a; --dim: #6a6f78; --line: #dfe1e5; --bar: #4a7dbd;
  --learnt: #d7ecd4; --warn: #fff3d6; }
@media (prefers-color-scheme: dark) {
  :root { --back: #17191d; --text: #e4e6ea; --dim: #9aa0aa; --line: #33373e; --bar: #6f9fdc; --learnt: #26432a; --warn: #453a1c; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 1.5rem 1rem 4rem; background: var(--back); color: var(--text);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { margin: .25rem 0; } .dim { color: var(--dim); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(7.5rem, 1fr)); gap: .75rem; margin: 1rem 0; }
.facts div { border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .75rem; }
.facts b { display: block; font-size: 1.35rem; font-weight: 600; }
.bars { display: grid; grid-template-columns: fit-content(45%) minmax(3rem, 1fr) max-content; gap: .2rem .75rem; align-items: center; }
.bars span { overflow-wrap: anywhere; } .bars i { display: block; height: .8rem; min-width: 1px; background: var(--bar); border-radius: .2rem; }
.bars b { font-weight: 400; font-variant-numeric: tabular-nums; text-align: right; color: var(--dim); }
.warn { background: var(--warn); border-radius: .5rem; padding: .5rem .75rem; margin: .5rem 0; }
.talk { border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .75rem; margin: .5rem 0; overflow-wrap: anywhere;
  white-space: pre-wrap; overflow-x: auto; }
.warn code { white-space: nowrap; }
.talk mark { background: var(--learnt); color: inherit; border-radius: .2rem; } code { overflow-wrap: anywhere; }
"""

MOST_MONTHS = 36
"""Beyond this many months the turns are shown by year."""
MOST_SPEAKERS = 20


def to_html(found: Inspection) -> str:
    """The page; whatever comes from the data is escaped, and its control characters and marks of direction are shown."""
    least, median, most = found.turns_a_conversation
    facts = {
        "turns read": found.read,
        "kept": found.kept,
        "joined to the turn before": found.joined,
        "dropped": sum(found.dropped.values()),
        "conversations": found.conversations,
        "speakers": len(found.speakers),
    }
    parts = [
        "<h1>The conversations</h1>",
        *(f'<p class="dim"><code>{escape(path)}</code> · {escape(title)}</p>' for path, title in found.files[:20]),
        f'<p class="dim">… and {len(found.files) - 20} more files</p>' if len(found.files) > 20 else "",
        '<div class="facts">'
        + "".join(f"<div><b>{value:,}</b>{escape(name)}</div>" for name, value in facts.items())
        + "</div>",
        f"<p>{least} to {most} turns a conversation, {median} in the middle; {found.characters:,} characters in all.</p>",
        f"<p>From {_minute(found.first)} to {_minute(found.last)}.</p>" if found.first and found.last else "",
        f"<p>{copies(found)}.</p>",
        *(f'<p class="warn">{_with_flags(text)}</p>' for text in found.warnings),
        _section(
            "Speakers: turns, and characters in one",
            {each.name: each.turns for each in found.speakers[:MOST_SPEAKERS]},
            [f"{each.turns:,} · {each.characters:.0f}" for each in found.speakers],
        ),
        f'<p class="dim">… and {len(found.speakers) - MOST_SPEAKERS:,} more speakers</p>'
        if len(found.speakers) > MOST_SPEAKERS
        else "",
        _section("Length of the turns, in characters up to", found.lengths),
        _over_time(found.months),
        _section(
            "Languages, in % of the conversations",
            {code: round(100 * share, 1) for code, share in found.languages.items()},
        ),
        _section("Dropped", found.dropped),
        _section("Replaced inside of turns", found.changed),
    ]
    if found.games:
        parts += _games(found.games)
    if found.tokens:
        tokens = found.tokens
        parts += [
            f"<h2>As {escape(tokens.model)} sees it</h2>",
            f"<p>{tokens.all:,} tokens, {tokens.held_out:,} of them held out; the others in {tokens.rows:,} rows of {tokens.row} "
            f"({tokens.filled:.1%} filled), {tokens.learnt:,} learnt, in the style {escape(tokens.style)}. "
            f"A turn has {tokens.turn_median} tokens in the middle and {tokens.turn_most} at most; "
            f"{tokens.over_row / found.kept:.1%} are longer than a row.</p>",
            _section("Length of the turns, in tokens up to", tokens.lengths),
            "<h2>Samples: what is learnt has a background</h2>",
            *(
                '<div class="talk">' + "".join(_piece(*piece) for piece in sample) + "</div>"
                for sample in tokens.samples
            ),
        ]
    parts += ["<h2>Examples</h2>", *(_talk(example) for example in found.examples)]
    if found.notes:
        parts += ["<h2>Notes</h2>", *(f'<p class="dim">{escape(note)}</p>' for note in found.notes)]
    body = "\n".join(part for part in parts if part)
    return visible(
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>The conversations</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _games(games: GameStatistics) -> list[str]:
    tables = {f"{each.source}, {each.language}, {each.players} players": each.games for each in games.tables}
    utterances: dict[str, float] = {}
    characters: dict[str, float] = {}
    for each in games.talk:
        for counts, count in ((utterances, each.utterances), (characters, each.characters)):
            counts[f"{HEARD_BY[each.channel]}, a game"] = round(each.a_game(count), 1)
            counts[f"{HEARD_BY[each.channel]}, a player"] = round(each.a_player(count), 1)
    claimed = {claim: None for each in games.claims for claim in each.claimed}
    return [
        _section(f"Games of werewolf ({games.games:,}) by set, language and size", tables),
        _section(
            "Games by the side that won", {side or "none, or not told": count for side, count in games.wins.items()}
        ),
        _section(
            "Wins of a role's side, in % of the games with it",
            {each.role: round(100 * each.share, 1) for each in games.roles},
        ),
        _section("Utterances, by who hears them", utterances),
        _section("Characters, by who hears them", characters),
        *(
            _section(
                f"Players who claim to be {claim}, in % of those with a role",
                {each.role: round(100 * each.claimed.get(claim, 0) / each.players, 1) for each in games.claims},
            )
            for claim in claimed
        ),
        *_timeline(games.timeline),
    ]


def _timeline(game: Timeline) -> list[str]:
    roles = ", ".join(f"{name} ({role or '?'})" for name, role in game.roles.items())
    days = []
    for day in game.days:
        days.append(f"<p><b>{escape(day.name)}</b> {escape(day.said())}</p>")
        days += ['<div class="talk">' + escape("\n".join(day.told)) + "</div>"] if day.told else []
    return [
        "<h2>A game of median length</h2>",
        f'<p class="dim"><code>{escape(game.group)}</code></p>',
        f"<p>{escape(roles)}</p>",
        *days,
    ]


def _with_flags(text: str) -> str:
    return re.sub(r"--[a-z-]+", lambda flag: f"<code>{flag[0]}</code>", escape(text))


def _minute(time: str) -> str:
    return escape(time[:16].replace("T", " "))


def _over_time(months: Mapping[str, int]) -> str:
    """The turns by month, also where there are none; over a long time by year."""
    if not months:
        return ""
    first, last = (12 * int(month[:4]) + int(month[5:]) - 1 for month in (min(months), max(months)))
    every = {f"{at // 12:04}-{at % 12 + 1:02}": 0 for at in range(first, last + 1)} | dict(months)
    if len(every) <= MOST_MONTHS:
        return _section("Turns by month", every)
    years: Counter[str] = Counter()
    for month, count in every.items():
        years[month[:4]] += count
    return _section("Turns by year", years)


def _section(title: str, values: Mapping[str, float], shown: Iterable[str] | None = None) -> str:
    """Bars of values; `shown` is what stands beside each, else the value."""
    if not values:
        return ""
    most = max(values.values()) or 1
    rows = "".join(
        f'<span>{escape(name)}</span><i style="width:{100 * value / most:.1f}%"></i><b>{text}</b>'
        for (name, value), text in zip(values.items(), shown or [f"{value:,}" for value in values.values()])
    )
    return f'<h2>{escape(title)}</h2>\n<div class="bars">{rows}</div>'


def _piece(text: str, learnt: bool) -> str:
    return f"<mark>{escape(text)}</mark>" if learnt else escape(text)


def _talk(turns: Iterable[tuple[str, str]]) -> str:
    return (
        '<div class="talk">'
        + "\n".join(f"<b>{escape(speaker)}</b>: {escape(text)}" for speaker, text in turns)
        + "</div>"
    )
