"""The results beside a run: evaluation.json with the figures, and the section "Quality" of its model card.

Both may be passed on with the model, so neither has a text of the data, a file's folder, or another run's replies.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from numbers import Integral, Real
from pathlib import Path, PurePath
from typing import Any

from wolf_chatbox.errors import CheckpointError
from wolf_chatbox.evaluate.report.verdict import Form, grouped, interval, named, number
from wolf_chatbox.files import new_file

CARD, EVALUATION = "README.md", "evaluation.json"
BEGIN, END = "<!-- evaluation: begin -->", "<!-- evaluation: end -->"
"""What stands between these lines is ours; everything else in the card is kept as it is."""
BEFORE = "\n## Use\n"
"""Where a new section comes before, in the cards that training writes; else it comes last."""
DATASET = "held-out conversations"


def write_beside(folder: Path, run: str, found: Form) -> None:
    """Write evaluation.json and the card's section into the folder of a run; raises CheckpointError."""
    with new_file(folder / EVALUATION, overwrite=True) as file:
        file.write(to_json(published(found)))
    card = folder / CARD
    if card.is_file():
        try:
            before = card.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CheckpointError(f"{card}: cannot be read ({error}). Correct it, and evaluate again.") from error
        after = with_quality(before, run, found, str(card))
        if after != before:
            with new_file(card, overwrite=True) as file:
                file.write(after)


def to_json(value: Any) -> str:
    """A value as JSON that every reader takes."""
    return json.dumps(plain(value), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def plain(value: Any) -> Any:
    """A value made of what JSON has: NaN and infinite numbers are None, numpy's numbers are Python's, paths texts."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, list | tuple) else str(value)


def published(found: Form) -> dict[str, Any]:
    """The figures without any text of the data, and the settings without folders."""
    kept = ("persona", "language", "exchanges", "conversations", "entries", "measures")
    return {name: found[name] for name in kept} | {"settings": without_folders(found["settings"])}


def without_folders(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings whose files and runs are called by their names alone."""

    def plain(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [plain(part) for part in value]
        return PurePath(value).name if isinstance(value, str | PurePath) and "/" in str(value) else value

    return {name: value if name == "judge" else plain(value) for name, value in settings.items()}


def with_quality(card: str, run: str, found: Form, where: str) -> str:
    """A model card with the section "Quality" and the hub's metadata of a run; the rest of its text is unchanged.

    Raises CheckpointError where the card's front matter is not what the hub reads.
    """
    head, marked, rest = card.partition(BEGIN)
    _, ended, rest = rest.partition(END)
    if marked and ended:
        text = head + _section(run, found) + rest
    elif BEFORE in card:
        text = card.replace(BEFORE, f"\n{_section(run, found)}\n{BEFORE}", 1)
    else:
        text = card.rstrip("\n") + f"\n\n{_section(run, found)}\n"
    return _with_metadata(text, run, found, where)


def _section(run: str, found: Form) -> str:
    """The figures of a run beside those of its base model and the humans."""
    others = [name for kind in ("base", "humans") for name in named(found, kind)]
    rows = [
        f"| {measure['title']} | " + " | ".join(_cell(measure, name) for name in (run, *others)) + " |"
        for measures in grouped(found).values()
        for measure in measures
    ]
    asked = f"{found['exchanges']} exchanges of {found['conversations']} conversations that the model did not learn"
    return "\n".join(
        [
            BEGIN,
            "## Quality",
            "",
            f"Measured on {asked}, with 95 % intervals (`wolf-chatbox evaluate`):",
            "",
            "| | this model | " + " | ".join(name.replace("|", "\\|") for name in others) + " |",
            "|---" * (len(others) + 2) + "|",
            *rows,
            END,
        ]
    )


def _cell(measure: Form, name: str) -> str:
    figure = measure["figures"][name]
    bounds = interval(measure, figure)
    return number(measure, figure["value"]) + (f" ({bounds})" if bounds else "")


def _with_metadata(text: str, run: str, found: Form, where: str) -> str:
    """The text with the figures in its front matter, as the hub's model index has them; other results are kept."""
    from huggingface_hub import EvalResult, ModelCard

    try:
        card: Any = ModelCard(text if text.startswith("---") else f"---\n{{}}\n---\n{text}")
        others = [result for result in card.data.eval_results or [] if result.dataset_name != DATASET]
        card.data.model_name = card.data.model_name or run
    except Exception as error:  # the hub's own checks, and those of YAML
        why = " ".join(str(error).split())[:200]
        raise CheckpointError(
            f"{where}: its front matter cannot be read ({why}). Correct it, and evaluate again."
        ) from error
    card.data.eval_results = others + [
        EvalResult(
            task_type="text-generation",
            dataset_type="conversations",
            dataset_name=DATASET,
            metric_type=measure["name"],
            metric_name=measure["title"],
            metric_value=round(value, 6),
        )
        for measure in found["measures"]
        if (value := measure["figures"][run]["value"]) is not None and math.isfinite(value)
    ]
    if not card.data.eval_results:
        return text
    content: str = card.content
    return content
