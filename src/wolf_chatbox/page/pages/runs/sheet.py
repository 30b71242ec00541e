"""One character: how good it is, how it was trained, and what of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import quote

from nicegui import ui

from wolf_chatbox.config import TrainConfig
from wolf_chatbox.evaluate.report.card import CARD
from wolf_chatbox.evaluate.report.scorecard import scorecard
from wolf_chatbox.page.characters import TrainedRun
from wolf_chatbox.page.charts import Lines
from wolf_chatbox.page.desk import Desk
from wolf_chatbox.page.jobs import Jobs
from wolf_chatbox.page.judging.ballots import Summary, summaries
from wolf_chatbox.page.judging.parts import side_name
from wolf_chatbox.page.making.story import Story
from wolf_chatbox.page.pages.runs.doing import show_changes, show_jobs
from wolf_chatbox.page.pages.runs.figures import show_evaluation
from wolf_chatbox.page.pages.runs.model_card import harmless, without_front_matter
from wolf_chatbox.page.parts import avatar, bubble, link_button, section, speaker_bars
from wolf_chatbox.page.quantities import size, spoken
from wolf_chatbox.page.scores import show_scores
from wolf_chatbox.settings import declared, flattened, typed
from wolf_chatbox.training.curves import Curves, read_curves
from wolf_chatbox.training.progress import Evaluated
from wolf_chatbox.words import Words

LONGEST = 200_000
"""Characters of a model card that are shown."""
EXTRAS = ["fenced-code-blocks", "tables", "code-friendly"]
"""Of Markdown: a name_with_lines is no emphasis."""
ACCOUNT = {"learnt": True, "held out": True, "context only": False, "joined": False, "dropped": True}
"""What became of the turns that were read, and whether it is said where there was none of it."""


class Sheet(NamedTuple):
    """What is known of a run, out of its files."""

    run: TrainedRun
    size: int
    curves: Curves
    evaluation: dict[str, Any] | None
    card: str
    samples: list[Evaluated]
    """Replies to held-out turns during the training, the base model's first; only trainings of the page have them."""
    judged: list[Summary]
    """Its blind votes and its games."""


def read_sheet(desk: Desk, run: TrainedRun) -> Sheet:
    card, story = "", Story()
    for making in desk.queue.all():
        if making.output is not None and making.output.resolve() == run.folder.resolve():
            story.follow(making.journal)
    with suppress(OSError):
        card = (run.folder / CARD).read_text(encoding="utf-8", errors="replace")[:LONGEST]
    return Sheet(
        run, run.size, read_curves(run.folder), run.evaluation(), card, story.evaluations, summaries(desk, run.name)
    )


def show_sheet(desk: Desk, jobs: Jobs, words: Words, sheet: Sheet) -> None:
    """The page of one run."""
    run = sheet.run
    link_button(words("runs.back"), "/runs", icon="arrow_back", quiet=True).classes("back")
    with ui.element("div").classes("headed"):
        with ui.element("div").classes("character-head narrow"):
            avatar(run.who)
            with ui.element("div").classes("narrow"):
                ui.label(run.who).classes("title one-line").props("role=heading aria-level=1")
                ui.label(run.about).classes("quiet small")
        name = quote(run.name, safe="")
        with ui.element("div").classes("actions"):
            link_button(words("home.talk"), f"/talk?run={name}", icon="chat_bubble_outline")
            link_button(words("frame.game"), f"/guess/new?run={name}", icon="quiz", quiet=True)
    _show_quality(words, sheet)
    if sheet.samples:
        _show_samples(words, sheet.samples)
    if sheet.judged:
        _show_judged(words, sheet.judged)
    _show_curves(words, sheet.curves)
    _show_data(words, sheet)
    with section(words("runs.more")):
        with _fold(words("runs.settings"), "tune"):
            _show_settings(words, run.record)
        if sheet.evaluation is not None:
            with _fold(words("runs.evaluation"), "table_chart"):
                show_evaluation(words, sheet.evaluation)
        if sheet.card:
            with _fold(words("runs.card"), "description"):
                ui.markdown(without_front_matter(sheet.card), extras=EXTRAS, sanitize=harmless).classes("markdown")
    with section(words("runs.export")):
        show_jobs(jobs, words, run)
    if desk.characters.is_own(run):
        with section(words("runs.change")):
            show_changes(desk, jobs, words, run)


def _fold(title: str, icon: str) -> ui.expansion:
    return ui.expansion(title, icon=icon).classes("fold")


def _show_quality(words: Words, sheet: Sheet) -> None:
    scores = scorecard(sheet.evaluation, sheet.run.name) if sheet.evaluation else []
    with section(words("runs.scores")):
        if scores and sheet.evaluation is not None:
            show_scores(words, scores, sheet.evaluation["exchanges"])
        else:
            ui.label(words("runs.unmeasured")).classes("quiet")


def _show_samples(words: Words, samples: Sequence[Evaluated]) -> None:
    """What it answers, beside the base model and what was really said."""
    with section(words("runs.samples")), ui.element("div").classes("charts"):
        for at, reply in enumerate(samples[-1].replies):
            with ui.element("div").classes("card notes sample-card"):
                for turn in reply.context[-2:]:
                    bubble(turn.speaker, turn.text)
                tries = {"now": reply.generated, "real": reply.said.text}
                if len(samples) > 1 and not samples[0].update and at < len(samples[0].replies):
                    tries["before"] = samples[0].replies[at].generated
                for key, text in tries.items():
                    with ui.element("div"):
                        ui.label(words(f"runs.reply.{key}", who=reply.said.speaker)).classes("quiet small")
                        ui.label(text or "…").classes("said-text")


def _show_judged(words: Words, judged: Sequence[Summary]) -> None:
    """What people said of it: a line for each comparison and each game."""
    with section(words("runs.judged")), ui.element("div").classes("card list-card"):
        for one in judged:
            with ui.link(target=one.address).classes("list-row"), ui.element("div").classes("narrow"):
                share = spoken(one.share)
                if one.sides is None:
                    ui.label(words("game.title")).classes("one-line")
                    line = words("runs.guesses", count=one.answers, share=share)
                else:
                    first, second = (side_name(words, side) for side in one.sides)
                    ui.label(words("compare.versus", one=first, other=second)).classes("one-line")
                    line = words("runs.votes", count=one.answers, name=first, share=share)
                ui.label(line).classes("quiet small")


def _show_curves(words: Words, curves: Curves) -> None:
    with section(words("runs.curves")):
        if curves == Curves():
            ui.label(words("runs.no_curves")).classes("quiet")
            return
        update, training = words("runs.axis.update"), words("runs.line.training")
        with ui.element("div").classes("charts first-wide"):
            with ui.element("div").classes("card"):
                lines = {training: curves.smoothed_loss, words("runs.line.held_out"): curves.held_out}
                known = {name: points for name, points in lines.items() if points}
                loss = Lines(update, words("runs.axis.loss"))
                loss.show(known, behind={training: curves.loss} if curves.loss else None)
            for kind, points, raw in (
                ("tokens_per_second", curves.smoothed_speed, curves.tokens_per_second),
                ("learning_rate", curves.learning_rate, None),
            ):
                if points:
                    with ui.element("div").classes("card"):
                        name = words(f"runs.axis.{kind}")
                        Lines(update, name).show({name: points}, behind={name: raw} if raw else None)


def _show_data(words: Words, sheet: Sheet) -> None:
    run = sheet.run
    perplexity = "—" if run.perplexity is None else f"{run.perplexity:.1f}"
    learnt = "—" if run.learnt_tokens is None else f"{run.learnt_tokens:,}"
    turns = run.turns
    facts = {
        "learnt": learnt,
        "perplexity": perplexity,
        "turns": f"{turns.get('read', 0):,}" if turns else "—",
        "speakers": f"{len(run.speakers):,}",
        "size": size(sheet.size),
    }
    with section(words("runs.data")):
        with ui.element("div").classes("facts"):
            for key, value in facts.items():
                with ui.element("div").classes("fact"):
                    ui.label(value).classes("fact-value")
                    ui.label(words(f"runs.figure.{key}")).classes("quiet small")
        if turns:
            parts = [
                words(f"runs.account.{name.replace(' ', '_')}", count=f"{count:,}")
                for name, count in turns.items()
                if name in ACCOUNT and (count or ACCOUNT[name])
            ]
            line = words("runs.account.all", count=f"{turns.get('read', 0):,}", parts=" + ".join(parts))
            ui.label(line).classes("quiet small").style("margin: 12px 0")
        speaker_bars(words, run.speakers)


def _show_settings(words: Words, record: Mapping[str, Any]) -> None:
    """The settings that differ from the defaults, then all others."""
    settings = record.get("settings")
    changed, rest = changes(settings if isinstance(settings, dict) else {})
    ui.label(words("runs.changed")).classes("quiet small")
    with ui.element("table").classes("figures"), ui.element("tbody"):
        for name, value in changed.items():
            with ui.element("tr"):
                with ui.element("th").props("scope=row"):
                    ui.label(name)
                with ui.element("td"):
                    ui.label(value).style("overflow-wrap: anywhere")
    ui.label(words("runs.as_usual")).classes("quiet small").style("margin-top: 14px")
    ui.label(" · ".join(f"{name} {value}" for name, value in rest.items())).classes("small")


def changes(settings: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """The settings of a run as texts: those that differ from the defaults, and the others."""
    known = {name.rpartition(".")[2]: setting.default for name, setting in declared(TrainConfig).items()}
    changed: dict[str, str] = {}
    rest: dict[str, str] = {}
    for name, value in flattened(settings).items():
        usual = _plain(value) == _plain(known.get(name))
        (rest if usual else changed)[name] = _plain(value)
    return changed, rest


def _plain(value: object) -> str:
    """A setting's value as a person would type it."""
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "—"
    return typed(value) or ("0" if value == 0 and value is not False else "—")
