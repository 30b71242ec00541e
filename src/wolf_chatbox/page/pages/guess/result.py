"""What came out of a game: the player's own, everybody's, the hardest rounds, and what gave replies away."""

from __future__ import annotations

from nicegui import ui

from wolf_chatbox.evaluate.judging.cues import cues
from wolf_chatbox.evaluate.judging.guesses import clue_counts, fooled, share_found, wilson
from wolf_chatbox.evaluate.measure import Figure
from wolf_chatbox.page.judging.games import Kept
from wolf_chatbox.page.judging.parts import bar
from wolf_chatbox.page.parts import bubble
from wolf_chatbox.page.quantities import spoken
from wolf_chatbox.words import Words

FEW = 20
"""Guesses below which it is said that there are few."""


def show_shares(words: Words, kept: Kept, player: str) -> None:
    """The result of somebody who has played to the end, and everybody's so far."""
    own = list(kept.by(player).values())
    right = sum(guess.right for guess in own)
    ui.label(words("game.you", right=right, of=len(own))).classes("big").props("role=heading aria-level=1")
    with ui.element("section").classes("card").style("display: grid; gap: 8px"):
        _share(words, words("game.your_share"), wilson(right, len(own)))
        everybody = share_found(kept.guesses)
        _share(words, words("game.everybody", count=kept.players), everybody)
        ui.label(_verdict(words, everybody)).style("font-weight: 600")
        if len(kept.guesses) < FEW:
            ui.label(words("game.few", count=len(kept.guesses))).classes("quiet small")
        if kept.game.dropped:
            ui.label(words("game.dropped", count=kept.game.dropped)).classes("quiet small")


def show_details(words: Words, kept: Kept, player: str) -> None:
    """Round by round, and what gave replies away."""
    _rounds(words, kept, player)
    _clues(words, kept)
    _cues(words, kept)


def _share(words: Words, name: str, figure: Figure) -> None:
    with ui.element("div").classes("between"):
        ui.label(name)
        ui.label(spoken(figure)).classes("cue-value")
    bar(figure, name)


def _verdict(words: Words, share: Figure) -> str:
    """Whether the replies can be told apart, in a sentence."""
    if share.low is None or share.high is None or share.low <= 0.5 <= share.high:
        return words("game.chance")
    return words("game.told_apart" if share.low > 0.5 else "game.fooled_all")


def _rounds(words: Words, kept: Kept, player: str) -> None:
    """Each round, the hardest first."""
    own = kept.by(player)
    ui.label(words("game.hardest")).classes("heading")
    with ui.element("div"):
        for one in fooled(kept.guesses):
            if one.round >= len(kept.game.rounds):
                continue
            round = kept.game.rounds[one.round]
            right = one.round in own and own[one.round].right
            title = words("game.right" if right else "game.wrong")
            if kept.players > 1:
                mine = words("game.mark_right" if right else "game.mark_wrong")
                title = f"{words('game.fooled', fooled=one.fooled, count=one.asked)} · {mine}"
            with ui.expansion(title, caption=round.real.text[:200]).classes("hard"):
                with ui.element("div").classes("before"):
                    for turn in round.context:
                        bubble(turn.speaker, turn.text)
                with ui.element("div").classes("choices").style("margin-top: 12px"):
                    _reply(words("game.real"), round.real.text, "choice-tag is-real", "duel-side won")
                    _reply(words("game.model"), round.reply, "choice-tag is-model", "duel-side")


def _reply(tag: str, text: str, tag_classes: str, classes: str) -> None:
    with ui.element("div").classes(classes).style("min-height: 0"):
        ui.label(tag).classes(tag_classes)
        ui.label(text).classes("choice-text")


def _clues(words: Words, kept: Kept) -> None:
    """What players said gave a reply away."""
    counts = clue_counts(kept.guesses)
    if not counts:
        return
    ui.label(words("game.gave_away")).classes("heading")
    with ui.element("section").classes("card"):
        for clue, (count, right) in counts.items():
            with ui.element("div").classes("cue").style("grid-template-columns: 1fr auto"):
                ui.label(words(f"game.clue_{clue}"))
                ui.label(words("game.named", count=count, right=right)).classes("cue-value")


def _cues(words: Words, kept: Kept) -> None:
    """How often one measured cue alone would find the real reply."""
    found = cues(kept.game.rounds)
    ui.label(words("game.cues")).classes("heading")
    with ui.element("section").classes("card"):
        ui.label(words("game.cues_lead")).classes("quiet small").style("margin-bottom: 8px")
        for cue in found:
            name = words(f"game.cue_{cue.name}")
            with ui.element("div").classes("cue"):
                ui.label(name)
                bar(cue.share, name)
                ui.label(spoken(cue.share)).classes("cue-value")
        some = any(cue.tells for cue in found)
        note = words("game.cues_some" if some else "game.cues_none", count=len(kept.game.rounds))
        ui.label(note).classes("small").style("margin-top: 8px")
