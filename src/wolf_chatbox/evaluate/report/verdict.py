"""Figures as people read them, and which of two is better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

Form = Mapping[str, Any]
"""The JSON form of the results, or of one measure of them (`Results.to_dict`)."""
SURE = 0.05
"""A difference with a smaller p value is marked."""
WAYS = {"higher": "higher is better", "lower": "lower is better", "human": "the humans' figure is best", "none": ""}
NOTHING = "—"


class Verdict(NamedTuple):
    """One entry's figure against another's."""

    better: bool | None
    """None where neither is, or where the measure has no better side."""
    p: float | None
    """Of "both are equally good"; None where it cannot be told."""

    @property
    def sure(self) -> bool:
        return self.better is not None and self.p is not None and self.p < SURE


def number(measure: Form, value: float | None) -> str:
    """A value of a measure, such as 14.5 %."""
    return NOTHING if value is None else _digits(measure, value) + (" %" if measure["unit"] == "%" else "")


def interval(measure: Form, figure: Form) -> str:
    """The confidence interval of a figure, such as 13.9–15.2; empty where there is none, or nothing in it.

    Where all conversations agree (no reply copies 12 words), resamples do too: that is no certainty.
    """
    low, high = figure["low"], figure["high"]
    if low is None or high is None or low == high:
        return ""
    return f"{_digits(measure, low)}{' to ' if min(low, high) < 0 else '–'}{_digits(measure, high)}"


def _digits(measure: Form, value: float) -> str:
    factor, digits = (100, max(0, measure["digits"] - 2)) if measure["unit"] == "%" else (1, measure["digits"])
    text = f"{factor * value:,.{digits}f}"
    return text.removeprefix("-") if not text.strip("-0.") else text


def compare(measure: Form, one: str, other: str, humans: str | None) -> Verdict | None:
    """How `one` stands against `other`; None where either has no figure."""
    values = [measure["figures"].get(name, {}).get("value") for name in (one, other)]
    if None in values:
        return None
    found = measure["p"]
    p = found.get(one, {}).get(other, found.get(other, {}).get(one))
    mine, others = (_distance(measure, value, humans) for value in values)
    better = None if mine is None or others is None or mine == others else mine < others
    return Verdict(better, p)


def _distance(measure: Form, value: float, humans: str | None) -> float | None:
    """How far a value is from the best: less is better; None where there is no best."""
    if measure["better"] != "human":
        sign = {"higher": -1, "lower": 1}.get(measure["better"])
        return None if sign is None else sign * value
    best = measure["figures"].get(humans, {}).get("value")
    return None if best is None else abs(value - best)


def named(found: Form, kind: str) -> list[str]:
    """The entries of a kind: run, base or humans."""
    return [entry["name"] for entry in found["entries"] if entry["kind"] == kind]


def best(found: Form, measure: Form) -> str | None:
    """The run, or base model, that is better than every other one beyond doubt."""
    models = [name for name in _models(found) if measure["figures"].get(name, {}).get("value") is not None]
    humans = next(iter(named(found, "humans")), None)
    for one in models if len(models) > 1 else []:
        verdicts = [compare(measure, one, other, humans) for other in models if other != one]
        if all(verdict is not None and verdict.better and verdict.sure for verdict in verdicts):
            return one
    return None


def _models(found: Form) -> list[str]:
    return [*named(found, "run"), *named(found, "base")]


def grouped(found: Form) -> dict[str, list[Form]]:
    """The measures that somebody has a figure of, by their heading."""
    groups: dict[str, list[Form]] = {}
    for measure in found["measures"]:
        if any(figure["value"] is not None for figure in measure["figures"].values()):
            groups.setdefault(measure["group"], []).append(measure)
    return groups


def differences(found: Form, one: str, other: str) -> tuple[list[tuple[Form, Verdict]], int]:
    """The measures in which two entries differ beyond doubt, and the number of all that both have."""
    humans = next(iter(named(found, "humans")), None)
    both = [(measure, compare(measure, one, other, humans)) for measure in found["measures"]]
    known = [(measure, verdict) for measure, verdict in both if verdict is not None and verdict.p is not None]
    return [(measure, verdict) for measure, verdict in known if verdict.sure], len(known)


def spread(many: Sequence[Any], most: int) -> list[Any]:
    """At most `most` of many, spread evenly."""
    if len(many) <= most:
        return list(many)
    return [many[(2 * at + 1) * len(many) // (2 * most)] for at in range(most)]
