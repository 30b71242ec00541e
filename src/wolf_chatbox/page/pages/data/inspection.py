"""What is in files of conversations, as a person reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nicegui import ui

from wolf_chatbox.data.tally import unread_once
from wolf_chatbox.page.charts import Bars
from wolf_chatbox.page.parts import bubble, language_name, listed, section, speaker_bars, why_dropped
from wolf_chatbox.samples.inspection import Inspection, Tokens
from wolf_chatbox.words import Words

MOST = 12
"""Files, notes and months that are shown."""
Shown = Callable[[str], str]
"""How a path or a text with paths is shown."""


def show_inspection(words: Words, found: Inspection, shown: Shown) -> None:
    """Files, facts, warnings, speakers, lengths and dates, what was left out and why, and how it begins."""
    with ui.element("section").classes("section"):
        ui.label(words("data.found")).classes("heading").props("role=heading aria-level=2")
        for path, title in found.files[:MOST]:
            ui.label(f"{shown(path)} · {title}").classes("quiet small")
        _show_facts(words, found)
        _show_account(words, found)
    _show_warnings(words, found, shown)
    with section(words("data.speakers")):
        speaker_bars(words, {speaker.name: speaker.turns for speaker in found.speakers})
    with section(words("data.lengths")), ui.element("div").classes("charts"):
        _bars(words("data.axis.characters"), words("data.axis.turns"), words, found.lengths)
        if found.tokens is not None:
            _bars(words("data.axis.tokens"), words("data.axis.turns"), words, found.tokens.lengths)
        if len(found.months) > 1:
            _bars(words("data.axis.month"), words("data.axis.turns"), words, found.months)
    if found.tokens is not None:
        _show_tokens(words, found.tokens)
    _show_beginning(words, found)


def _show_facts(words: Words, found: Inspection) -> None:
    shares = list(found.languages.items())[:3]
    languages = listed(words, (f"{language_name(words, code)} {share:.0%}" for code, share in shares))
    dates = f"{found.first[:10]} – {found.last[:10]}" if found.first and found.last else ""
    facts = {
        "turns": f"{found.kept:,}",
        "conversations": f"{found.conversations:,}",
        "speakers": f"{len(found.speakers):,}",
        "characters": f"{found.characters:,}",
        "languages": languages,
        "dates": dates,
    }
    with ui.element("div").classes("facts").style("margin-top: 12px"):
        for key, value in facts.items():
            if value:
                with ui.element("div").classes("fact" + (" wide-fact" if key == "dates" else "")):
                    ui.label(value).classes("fact-value")
                    ui.label(words(f"data.fact.{key}")).classes("quiet small")


def _show_account(words: Words, found: Inspection) -> None:
    """What became of each turn that was read."""
    dropped = sum(found.dropped.values())
    parts = [words("data.account.kept", count=f"{found.kept:,}")]
    parts += [words("data.account.joined", count=f"{found.joined:,}")] if found.joined else []
    parts += [words("data.account.dropped", count=f"{dropped:,}")]
    line = words("runs.account.all", count=f"{found.read:,}", parts=" + ".join(parts))
    ui.label(line).classes("quiet small").style("margin-top: 12px")
    for why, count in found.dropped.items():
        ui.label(f"{count:,} · {why_dropped(words, why)}").classes("quiet small")


def _show_warnings(words: Words, found: Inspection, shown: Shown) -> None:
    with ui.element("section").classes("section notes"):
        ui.label(words("data.warnings")).classes("heading").props("role=heading aria-level=2")
        for unread in found.unread:
            with ui.element("div").classes("note bad"):
                ui.label(words("data.unread", count=unread.turns)).style("font-weight: 600")
                ui.label(shown(unread.reason)).classes("small")
        for advice in found.warnings:
            with ui.element("div").classes("note"):
                ui.label(words(f"warnings.{advice.kind}", **advice.values))
        if not found.warnings and not found.unread:
            with ui.element("div").classes("note good"):
                ui.label(words("data.no_warnings"))
        told = unread_once(found.unread)
        for note in [note for note in found.notes if note not in told][:MOST]:
            ui.label(shown(note)).classes("quiet small")


def _bars(x: str, y: str, words: Words, counts: Mapping[str, int]) -> None:
    """Bars, with the longest bin in the page's language."""
    with ui.element("div").classes("card"):
        Bars(x, y).show({words("data.axis.more") if name == "more" else name: count for name, count in counts.items()})


def _show_tokens(words: Words, tokens: Tokens) -> None:
    """The data as a model sees it: what is learnt is marked."""
    with section(words("data.samples", model=tokens.model)):
        line = words(
            "data.tokens", all=f"{tokens.all:,}", learnt=f"{tokens.learnt:,}", rows=f"{tokens.rows:,}", row=tokens.row
        )
        ui.label(line).classes("quiet small")
        for sample in tokens.samples:
            with ui.element("div").classes("sample"):
                for text, learnt in sample:
                    with ui.element("mark" if learnt else "span"):
                        ui.label(text).style("display: inline")


def _show_beginning(words: Words, found: Inspection) -> None:
    if not found.examples:
        return
    with section(words("data.beginning")), ui.element("div").classes("notes"):
        first = found.speakers[0].name if found.speakers else ""
        for speaker, text in found.examples[0]:
            bubble(speaker, text, mine=speaker == first)
