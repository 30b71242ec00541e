"""The study of the sampling settings: a run's replies to held-out exchanges, drawn by each of many settings.

    wolf-chatbox train --data example --model smollm2-135m --persona Grimbold --epochs 3 --validation-share 0.2 \\
        --output run
    python bench/sampling.py run
    python bench/sampling.py run --settings "" "temperature=0.9,min_p=0.1,top_k=0,top_p=1" --json found.json

The exchanges and the measures are those of `wolf-chatbox evaluate`; each setting is a row, and the humans' replies are
the last one. A setting names what differs from the run's own settings; the empty one changes nothing. The model is
loaded once, and every setting is asked with the same seeds. Only fit is left out, which no setting changes.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from wolf_chatbox.config import EvaluateConfig, SamplingConfig
from wolf_chatbox.evaluate import observe
from wolf_chatbox.evaluate.contestants import contestants, find_runs, load, persona_of
from wolf_chatbox.evaluate.entries import Answer, Entry, Study
from wolf_chatbox.evaluate.measure import Figure, Measure, figures
from wolf_chatbox.evaluate.study import CHAT_TURNS, HUMANS, SUBJECTS, ask, beginnings, read

OPEN = "top_k=0,top_p=1"
SETTINGS = (
    "",
    "no_repeat_phrase=0",
    "temperature=0",
    "temperature=0.5",
    "temperature=0.9",
    "temperature=1",
    "top_p=0.9",
    "top_k=0",
    f"{OPEN},min_p=0.05",
    f"{OPEN},min_p=0.1,temperature=0.9",
    f"{OPEN},min_p=0.1,temperature=1",
    f"{OPEN},min_p=0.2,temperature=1",
    "repetition_penalty=1.1",
    "dry_multiplier=0.8",
    "dry_multiplier=0.8,no_repeat_phrase=0",
    "best_of=4",
)
KINDS = {field.name: type(field.default) for field in fields(SamplingConfig)}


def setting(text: str) -> dict[str, Any]:
    """`temperature=0.9,top_k=0` as values."""
    pairs = (part.split("=") for part in text.split(",") if part)
    return {name: KINDS[name](float(value)) for name, value in pairs}


def answers(voice: Any, study: Study, settings: Sequence[SamplingConfig]) -> list[list[Answer]]:
    """The replies by each of the settings; those to one exchange are drawn together, so its prompt is read once."""
    found: list[list[Answer]] = [[] for _ in settings]
    for number, exchange in enumerate(study.exchanges):
        replies = [voice.answer(exchange.scene, sampling, study.seed + number) for sampling in settings]
        growing = [iter(reply) for reply in replies]
        while growing:
            growing = [pieces for pieces in growing if next(pieces, None) is not None]
        for one, reply in zip(found, replies):
            one.append(Answer(reply.text, not reply.cut))
        print(f"exchange {number + 1}: {replies[0].text}", file=sys.stderr, flush=True)
    return found


def table(measures: list[Measure], found: dict[str, dict[str, Figure]], names: list[str]) -> str:
    lines = ["| settings | " + " | ".join(measure.title for measure in measures) + " |"]
    lines.append("|---" * (len(measures) + 1) + "|")
    for name in names:
        cells = [found[measure.name][name].value for measure in measures]
        shown = [shape(value, measure) for value, measure in zip(cells, measures)]
        lines.append(f"| {name} | {' | '.join(shown)} |")
    return "\n".join(lines)


def shape(value: float | None, measure: Measure) -> str:
    if value is None:
        return "-"
    return f"{100 * value if measure.unit == '%' else value:.{measure.digits}f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--data", nargs="*", default=[])
    parser.add_argument("--replies", type=int, default=200)
    parser.add_argument("--chats", type=int, default=4)
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--slots", type=int, default=16)
    parser.add_argument("--settings", nargs="+", default=SETTINGS)
    parser.add_argument("--json", help="write the replies and the figures here")
    args = parser.parse_args()
    config = EvaluateConfig(runs=(args.run,), data=tuple(args.data), replies=args.replies, chats=args.chats,
                            engine=args.engine, slots=args.slots)  # fmt: skip
    runs = find_runs(config, print)
    persona = persona_of(runs, None)
    _, divided = read(config, runs)
    study, notices = ask(config, runs, persona, divided)
    print(f"{len(study.exchanges)} exchanges", *notices, sep="\n", file=sys.stderr)
    character = load(contestants(runs)[0], config, persona, print)
    settings = [character.sampling.changed(**setting(text)) for text in args.settings]
    voice, pair, entries = character.voice, (character.persona, character.user), []
    for text, sampling, said in zip(args.settings, settings, answers(voice, study, settings)):
        chats = observe.chats(voice, beginnings(study, args.chats), pair, CHAT_TURNS, sampling, study.seed)
        entries.append(Entry(text or "(own)", "run", said, (), chats))
    humans = Entry(HUMANS, "humans", [Answer(exchange.said.text) for exchange in study.exchanges])
    study = replace(study, entries=(*entries, humans))
    measures = [measure for subject in SUBJECTS for measure in subject.measures(study) if measure.group != "Fit"]
    found = figures(study, measures)
    print(table(measures, found, [one.name for one in study.entries]))
    if args.json:
        said = {one.name: {"answers": one.answers, "chats": one.chats} for one in study.entries}
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump({"figures": found, "replies": said}, file, ensure_ascii=False, default=str)


if __name__ == "__main__":
    main()
