"""`wolf-chatbox data inspect`: what is in files of conversations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.table import Table

from wolf_chatbox.cli import READ_IN_PART
from wolf_chatbox.cli.display import show_sample
from wolf_chatbox.config import CleanConfig, ReadConfig, TrainConfig
from wolf_chatbox.data.cleaning import clean, publishable
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.files import check_place, new_file
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.samples.inspection import Inspection, copies
from wolf_chatbox.samples.inspection import inspect as look
from wolf_chatbox.samples.report import to_html
from wolf_chatbox.screen import Screen
from wolf_chatbox.visible import shortlist, visible_json
from wolf_chatbox.werewolf.statistics import HEARD_BY, NO_WINNER, GameStatistics

MOST_SPEAKERS = 12


def inspect(
    files: Annotated[tuple[str, ...], Parameter(required=True, consume_multiple=True)],
    *,
    model: str | None = None,
    persona: str | None = None,
    view: str = TrainConfig.view,
    max_tokens: int = 512,
    html: Path | None = None,
    json_: Annotated[bool, Parameter(name="--json")] = False,
    read: ReadConfig | None = None,
    cleaning: CleanConfig | None = None,
    overwrite: bool = False,
) -> int:
    """Look at conversations: who speaks, how much, in which languages, what was dropped, and what to look after.

    Parameters
    ----------
    files
        Files, folders or zip archives of conversations; `example` is the bundled script.
    model
        A base model: tells lengths in its tokens, and shows what it would learn.
    persona
        With a model: the one character that is learnt.
    view
        With a model: as whom games of werewolf are learnt: player, player:ROLE, or moderator.
    max_tokens
        With a model: the length of a row.
    html
        Write the same as a page, with plots, to this file.
    json_
        Print everything as JSON, for programs.
    overwrite
        Replace the page if it is there.
    """
    if html is not None:
        check_place(html, overwrite=overwrite)
    cleaning = cleaning or CleanConfig()
    tally = Tally()
    cleaned = clean(read_conversations(files, read, tally), cleaning, tally)
    conversations = list(publishable(cleaned, cleaning))
    if not conversations:
        raise tally.nothing_in(files)
    dataset = None
    if model is not None:
        from wolf_chatbox.model.hub import locate
        from wolf_chatbox.model.load import load_tokenizer
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
            Screen().say(f"The page is in {html}.")
    return READ_IN_PART if found.unread else 0


def show(found: Inspection, screen: Screen) -> None:
    """Print an inspection."""
    say = screen.say
    for path, title in found.files[:MOST_SPEAKERS]:
        say(f"{path}: {title}", "bold")
    if len(found.files) > MOST_SPEAKERS:
        say(f"… and {len(found.files) - MOST_SPEAKERS} more files")
    joined = f" + {found.joined:,} joined to the turn before" if found.joined else ""
    say(f"{found.read:,} turns read = {found.kept:,} kept{joined} + {sum(found.dropped.values()):,} dropped")
    for reason, count in found.dropped.items():
        say(f"  dropped: {count:,} ({reason})", "dim")
    for kind, count in found.changed.items():
        say(f"  replaced: {count:,} ({kind})", "dim")
    least, median, most = found.turns_a_conversation
    say(
        f"{found.conversations:,} conversations in {found.groups:,} groups, of {least} to {most} turns (median {median})"
    )
    say(f"{found.characters:,} characters")
    if found.first:
        say(f"from {found.first} to {found.last}")
    say(copies(found))
    say("languages: " + shortlist([f"{code} {share:.0%}" for code, share in found.languages.items()], 6))
    table = Table("speaker", "turns", "share", "characters a turn", box=None, pad_edge=False)
    for each in found.speakers[:MOST_SPEAKERS]:
        table.add_row(each.name, f"{each.turns:,}", f"{each.share:.1%}", f"{each.characters:.0f}")
    screen.print(table)
    if len(found.speakers) > MOST_SPEAKERS:
        say(f"… and {len(found.speakers) - MOST_SPEAKERS} more speakers")
    if found.games:
        show_games(found.games, screen)
    if found.tokens:
        tokens = found.tokens
        say(
            f"{tokens.model}, style {tokens.style}: {tokens.all:,} tokens, {tokens.held_out:,} of them held out; the others in "
            f"{tokens.rows:,} rows of {tokens.row} ({tokens.filled:.1%} filled), {tokens.learnt:,} learnt"
        )
        over = f"{tokens.over_row / found.kept:.1%} are longer than a row"
        say(f"a turn has {tokens.turn_median} tokens in the middle and {tokens.turn_most} at most; {over}")
        for sample in tokens.samples[:1]:
            show_sample(screen, "A sample as the model sees it", sample)
    else:
        for speaker, text in found.examples[0]:
            say(f"  {speaker}: {text}", "dim")
    for note in found.notes:
        say(f"note: {note}", "dim")
    for warning in found.warnings:
        say(f"warning: {warning}", "yellow")


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
        *((each.source, each.language, f"{each.players}", f"{each.games:,}") for each in games.tables),
    )
    table(
        ("role", "games with it", "its side won"),
        *((each.role, f"{each.games:,}", f"{each.share:.1%}") for each in games.roles),
    )
    head = ("heard by", "utterances a game", "a player", "characters a game", "a player")
    talk = [
        (
            HEARD_BY[each.channel],
            *(
                f"{mean(count):,.1f}"
                for count in (each.utterances, each.characters)
                for mean in (each.a_game, each.a_player)
            ),
        )
        for each in games.talk
    ]
    table(head, *talk)
    claims = [
        (
            each.role,
            f"{each.players:,}",
            ", ".join(f"{claim} {count / each.players:.1%}" for claim, count in each.claimed.items()) or "nothing",
        )
        for each in games.claims
    ]
    if claims:
        table(("role", "players", "claim to be"), *claims)
    say(f"A game of median length: {games.timeline.group}", "bold")
    say(", ".join(f"{name} ({role or '?'})" for name, role in games.timeline.roles.items()))
    for day in games.timeline.days:
        say(f"{day.name}: {day.said()}")
        for text in day.told:
            say(f"  {text}", "dim")
