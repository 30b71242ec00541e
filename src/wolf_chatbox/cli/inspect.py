"""`wolf-chatbox data inspect`: statistics, samples and warnings about conversations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.table import Table

from wolf_chatbox.cli import READ_IN_PART
from wolf_chatbox.cli.display import show_sample
from wolf_chatbox.config import CleanConfig, ReadConfig, TrainConfig
from wolf_chatbox.data.cleaning import clean, publishable
from wolf_chatbox.data.tally import Tally, listed
from wolf_chatbox.errors import DataError
from wolf_chatbox.files import check_place, new_file
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.importers.second_look.answer import look_again
from wolf_chatbox.importers.second_look.look import SUPPORTED, Look, Unclaimed
from wolf_chatbox.samples.inspection import Inspection, Tokens, copies
from wolf_chatbox.samples.inspection import inspect as look
from wolf_chatbox.samples.report import to_html
from wolf_chatbox.screen import Screen
from wolf_chatbox.settings import Whole
from wolf_chatbox.visible import counted, shortened, shortlist, visible_json
from wolf_chatbox.werewolf.statistics import HEARD_BY, NO_WINNER, Claims, GameStatistics, Talk

MOST_SPEAKERS = 12


def inspect(
    files: Annotated[tuple[str, ...], Parameter(required=True, consume_multiple=True)],
    *,
    model: str | None = None,
    persona: str | None = None,
    view: str = TrainConfig.view,
    max_tokens: Whole = TrainConfig.max_tokens,
    html: Path | None = None,
    json_: Annotated[bool, Parameter(name="--json")] = False,
    read: ReadConfig | None = None,
    cleaning: CleanConfig | None = None,
    overwrite: bool = False,
) -> int:
    """Show statistics of conversations (speakers, lengths, languages, dropped turns), samples and warnings.

    Parameters
    ----------
    files
        Files, folders or archives of conversations; `example` and `example-ja` are bundled scripts.
    model
        Base model: count lengths in its tokens and show what it would learn.
    persona
        With --model: learn only this speaker's turns.
    view
        With --model: whose view of a werewolf game to learn: player, player:ROLE, or moderator.
    max_tokens
        With --model: maximum number of tokens per row.
    html
        Also write an HTML report with plots to this file.
    json_
        Print the results as JSON.
    overwrite
        Replace an existing report.
    """
    if html is not None:
        check_place(html, overwrite=overwrite)
    cleaning = cleaning or CleanConfig()
    tally = Tally()
    try:
        cleaned = clean(read_conversations(files, read, tally), cleaning, tally)
        conversations = list(publishable(cleaned, cleaning))
        if not conversations:
            raise tally.nothing_in(files)
    except DataError as error:
        show_looks(error, files, read or ReadConfig(), json_)
        raise
    dataset = None
    if model is not None:
        from wolf_chatbox.model.hub import locate
        from wolf_chatbox.model.tokenizer import load_tokenizer
        from wolf_chatbox.samples.dataset import choose, make_rows

        config = TrainConfig(
            data=files,
            model=model,
            persona=persona,
            view=view,
            max_tokens=max_tokens,
            read=read or ReadConfig(),
            clean=cleaning,
        )
        material = choose(config, conversations, tally)
        dataset = make_rows(material, config, load_tokenizer(model, locate(model)), max_tokens)
    found = look(conversations, tally, dataset, model or "")
    published = found.hidden(tally) if cleaning.protects else found
    if html is not None:
        with new_file(html, overwrite=overwrite) as file:
            file.write(to_html(published))
    if json_:
        print(visible_json(published.to_dict()))
    else:
        show(found, Screen())
        if html is not None:
            Screen().say(f"The report is in {html}.")
    return READ_IN_PART if found.unread else 0


def show(found: Inspection, screen: Screen) -> None:
    """Print an inspection."""
    say = screen.say
    for line in listed(found.files):
        say(line, "bold")
    joined = f" + {found.joined:,} joined to the turn before" if found.joined else ""
    say(f"{counted(found.read, 'turn')} read = {found.kept:,} kept{joined} + {sum(found.dropped.values()):,} dropped")
    for reason, count in found.dropped.items():
        say(f"  dropped: {count:,} ({reason})", "dim")
    for kind, count in found.changed.items():
        say(f"  replaced: {count:,} ({kind})", "dim")
    least, median, most = found.turns_a_conversation
    turns = f"{least:,} to {most:,} turns (median {median:,})" if least < most else counted(most, "turn")
    say(f"{counted(found.conversations, 'conversation')} in {counted(found.groups, 'group')}, of {turns}")
    say(f"{found.characters:,} characters")
    if found.first:
        say(f"from {found.first} to {found.last}")
    say(copies(found))
    shares = shortlist([f"{code} {share:.0%}" for code, share in found.languages.items()], 6)
    say(f"languages: {shares or 'too little text to tell'}")
    table = Table("speaker", "turns", "share", "characters a turn", box=None, pad_edge=False)
    for one in found.speakers[:MOST_SPEAKERS]:
        table.add_row(one.name, f"{one.turns:,}", f"{one.share:.1%}", f"{one.characters:.0f}")
    screen.print(table)
    if len(found.speakers) > MOST_SPEAKERS:
        say(f"… and {len(found.speakers) - MOST_SPEAKERS} more speakers")
    if found.briefings:
        known = [f"{name} ({count:,} characters)" for name, count in found.briefings.items()]
        say(f"briefed by a card: {shortlist(known, 6)}")
    if found.games:
        show_games(found.games, screen)
    if found.tokens:
        show_tokens(found.tokens, found.kept, screen)
    else:
        for speaker, text in found.examples[0]:
            say(f"  {speaker}: {text.replace(chr(10), chr(10) + '    ')}", "dim")
    for note in found.notes:
        say(f"note: {note}", "dim")
    for warning in found.warnings:
        say(f"warning: {warning}", "yellow")


def show_looks(error: DataError, files: tuple[str, ...], config: ReadConfig, as_json: bool) -> None:
    """Print what is seen in files that cannot be read, beside the error: as JSON, or for people."""
    looks = error.looks if isinstance(error, Unclaimed) else look_again(files, config)
    if as_json:
        print(visible_json({"error": str(error), "looks": [found.to_dict() for found in looks]}))
        return
    screen = Screen(stderr=True)
    for found in looks:
        show_look(found, screen)
        if found.seen.remedy != SUPPORTED and found.seen.remedy not in str(error):
            screen.say(found.seen.remedy)


def show_look(found: Look, screen: Screen) -> None:
    """Print what is seen in a file: its first lines, and what the formats that fit best make of it."""
    say = screen.say
    say(f"{found.path}: {found.seen.what}", "bold")
    for line in found.lines:
        say(f"  {line}", "dim")
    for at, guess in enumerate(found.guesses, 1):
        say(f"guess {at}: {guess.title}, --format {guess.format}", "bold")
        for speaker, text in guess.first:
            say(f"  {shortened(speaker, 40)}: {shortened(text, 100)}", "dim")
        if guess.for_:
            say(f"  for: {'; '.join(guess.for_)}")
        if guess.against:
            say(f"  against: {'; '.join(guess.against)}")


def show_tokens(tokens: Tokens, turns: int, screen: Screen) -> None:
    """Print the data as a model sees it."""
    rows = f"{tokens.rows:,} rows of {tokens.row} ({tokens.filled:.1%} filled), {tokens.learnt:,} learnt"
    screen.say(f"{tokens.model}, style {tokens.style}: {tokens.all:,} tokens, {tokens.held_out:,} held out; {rows}")
    over = f"{tokens.over_row / turns:.1%} are longer than a row"
    screen.say(f"tokens per turn: median {tokens.turn_median}, maximum {tokens.turn_most}; {over}")
    for sample in tokens.samples[:1]:
        show_sample(screen, "A sample as the model sees it", sample)


def show_games(games: GameStatistics, screen: Screen) -> None:
    """Print statistics of games."""
    say = screen.say

    def table(*rows: tuple[str, ...]) -> None:
        printed = Table(*rows[0], box=None, pad_edge=False)
        for row in rows[1:]:
            printed.add_row(*row)
        screen.print(printed)

    wins = ", ".join(f"{side or NO_WINNER} {count:,}" for side, count in games.wins.items())
    say(f"{games.games:,} games of werewolf, won by: {wins}", "bold")
    table(
        ("set", "language", "players", "games"),
        *((kind.source, kind.language, f"{kind.players}", f"{kind.games:,}") for kind in games.tables),
    )
    table(
        ("role", "games with it", "its side won"),
        *((role.role, f"{role.games:,}", f"{role.share:.1%}") for role in games.roles),
    )
    table(("heard by", "turns per game", "per player", "characters per game", "per player"), *map(_talk, games.talk))
    if games.claims:
        table(("role", "players", "claim to be"), *map(_claims, games.claims))
    say(f"A game of median length: {games.timeline.group}", "bold")
    say(", ".join(f"{name} ({role or '?'})" for name, role in games.timeline.roles.items()))
    for day in games.timeline.days:
        say(f"{day.name}: {day.said()}")
        for text in day.told:
            say(f"  {text}", "dim")


def _talk(channel: Talk) -> tuple[str, ...]:
    counts = (channel.utterances, channel.characters)
    means = [f"{mean(count):,.1f}" for count in counts for mean in (channel.a_game, channel.a_player)]
    return (HEARD_BY[channel.channel], *means)


def _claims(role: Claims) -> tuple[str, ...]:
    shares = ", ".join(f"{claim} {count / role.players:.1%}" for claim, count in role.claimed.items())
    return (role.role, f"{role.players:,}", shares or "nothing")
