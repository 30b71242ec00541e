"""What an evaluation found, as a value; its JSON form is what every report is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wolf_chatbox.evaluate.entries import Study
from wolf_chatbox.evaluate.measure import Figure, Measure


@dataclass(frozen=True)
class Results:
    """The table, and what stands behind it."""

    study: Study
    measures: Sequence[Measure]
    figures: Mapping[str, Mapping[str, Figure]]
    """By the measure's name, then by the entry's."""
    comparisons: Mapping[str, Mapping[str, Mapping[str, float]]]
    """By the measure, then by an entry, then by the other: the p value of "both are equally good"."""
    details: Mapping[str, Any]
    """What is more than a number, by the measures' file: JSON values."""
    settings: Mapping[str, Any]
    notices: Sequence[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON values; `samples` has the replies side by side."""
        study = self.study
        return {
            "persona": study.persona,
            "language": study.language,
            "exchanges": len(study.exchanges),
            "conversations": study.conversations,
            "entries": [{"name": entry.name, "kind": entry.kind} for entry in study.entries],
            "measures": [
                {
                    "name": measure.name,
                    "title": measure.title,
                    "group": measure.group,
                    "means": measure.means,
                    "better": measure.better,
                    "unit": measure.unit,
                    "digits": measure.digits,
                    "figures": {name: figure._asdict() for name, figure in self.figures[measure.name].items()},
                    "p": self.comparisons.get(measure.name, {}),
                }
                for measure in self.measures
            ],
            "details": self.details,
            "samples": [
                {
                    "context": [[turn.speaker, turn.text] for turn in exchange.scene.turns[-SHOWN:]],
                    "speaker": exchange.said.speaker,
                    "said": exchange.said.text,
                    "replies": {entry.name: entry.answers[number].text for entry in study.entries},
                }
                for number, exchange in enumerate(study.exchanges)
            ],
            "chats": {
                entry.name: [[[turn.speaker, turn.text] for turn in chat] for chat in entry.chats]
                for entry in study.entries
                if entry.chats
            },
            "settings": self.settings,
            "notices": list(self.notices),
        }


SHOWN = 6
"""Turns before a reply that a report shows."""
