"""Fit: how well a model expects what was really said."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from wolf_chatbox.evaluate.entries import Entry, Fitted, Study
from wolf_chatbox.evaluate.measure import Measure


def measures(study: Study) -> list[Measure]:
    """Perplexity per token, and bits per byte."""

    def parts(entry: Entry) -> list[Fitted]:
        if not entry.fitted:
            return []
        return [total(group) for group in study.by_conversation(entry.fitted)]

    return [
        Measure(
            name="perplexity",
            title="Perplexity",
            group="Fit",
            means="Among how many equally likely tokens the model wavers at each token of the real replies.",
            better="lower",
            parts=parts,
            combine=perplexity,
            digits=1,
        ),
        Measure(
            name="bits_per_byte",
            title="Bits/byte",
            group="Fit",
            means="The bits that the model needs for a byte of the real replies; comparable between tokenizers.",
            better="lower",
            parts=parts,
            combine=bits_per_byte,
            digits=3,
        ),
    ]


def total(fitted: Sequence[Fitted]) -> Fitted:
    return Fitted(
        math.fsum(one.nats for one in fitted), sum(one.tokens for one in fitted), sum(one.bytes for one in fitted)
    )


def perplexity(parts: Sequence[Fitted]) -> float | None:
    whole = total(parts)
    return math.exp(min(whole.nats / whole.tokens, 700.0)) if whole.tokens else None


def bits_per_byte(parts: Sequence[Fitted]) -> float | None:
    whole = total(parts)
    return whole.nats / math.log(2) / whole.bytes if whole.bytes else None


def details(study: Study) -> dict[str, Any]:
    """The fit by speaker, for each entry that has one: `{"by_speaker": {entry: {speaker: {"perplexity", …}}}}`."""
    return {"by_speaker": {entry.name: by_speaker(study, entry) for entry in study.entries if entry.fitted}}


def by_speaker(study: Study, entry: Entry) -> dict[str, dict[str, float | None]]:
    """The fit of each speaker's turns: perplexity and bits per byte."""
    groups: dict[str, list[Fitted]] = {}
    for exchange, fitted in zip(study.exchanges, entry.fitted):
        groups.setdefault(exchange.said.speaker, []).append(fitted)
    return {
        speaker: {"perplexity": perplexity(found), "bits_per_byte": bits_per_byte(found)}
        for speaker, found in groups.items()
    }
