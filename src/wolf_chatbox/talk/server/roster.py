"""The models that a server offers: `run`, which answers as its persona, and `run:Rick`, as another of its speakers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wolf_chatbox.errors import ConfigError, DataError, WolfChatboxError
from wolf_chatbox.model.character import Character
from wolf_chatbox.model.speech import find_persona, one_voice
from wolf_chatbox.talk.server.gate import Gate
from wolf_chatbox.talk.server.refusals import Refusal

LISTED = 100
"""Speakers of one run that /v1/models names at most, those with the most turns; every other one answers too."""


@dataclass(frozen=True)
class Served:
    """A character, under its name, with the gate to its engine."""

    name: str
    character: Character
    gate: Gate
    created: int = 0
    """When the run was written, in seconds of Unix time."""

    @property
    def personas(self) -> list[str]:
        """Who can answer, the run's own persona first."""
        own = self.character.persona
        if self.character.voice.renderer.style.name != "named":
            return [own]
        return [own, *(name for name in self.character.voice.speakers if name != own)]

    def persona(self, name: str) -> str:
        """The persona of that name; raises Refusal when there is none."""
        own = self.character.persona
        try:
            found = find_persona(name, self.character.voice.speakers) if name else own
            if found != own and self.character.voice.renderer.style.name != "named":
                raise DataError(one_voice(self.character.voice.renderer.style.name, own))
        except WolfChatboxError as error:
            raise unknown(f"{self.name}:{name}", str(error)) from None
        return found

    def user(self, persona: str) -> str:
        """Who speaks to a persona where nobody is named."""
        return self.character.user if persona != self.character.user else self.character.persona


class Roster:
    """All models of a server, by name; the first one answers where no model is named. The page's come and go."""

    def __init__(self, served: Sequence[Served] = ()) -> None:
        self.by_name: dict[str, Served] = {one.name: one for one in served}

    @property
    def first(self) -> Served:
        if not self.by_name:
            raise unknown("(none)", "No model is loaded. Talk with a character on the page first.")
        return next(iter(self.by_name.values()))

    def find(self, model: str | None) -> tuple[Served, str]:
        """A model's run and persona; raises Refusal (404) when there is none of that name."""
        if not model:
            return self.first, self.first.character.persona
        if model in self.by_name:
            return self.by_name[model], self.by_name[model].character.persona
        run, _, persona = model.partition(":")
        if run not in self.by_name:
            raise unknown(model, f"The models are {', '.join(self.by_name)}.")
        served = self.by_name[run]
        return served, served.persona(persona)

    def names(self) -> list[tuple[str, Served]]:
        """Every name that is listed."""
        return [
            pair
            for name, one in self.by_name.items()
            for pair in [(name, one), *((f"{name}:{persona}", one) for persona in one.personas[:LISTED])]
        ]


def unknown(model: str, remedy: str) -> Refusal:
    return Refusal(404, f"there is no model {model}. {remedy}", param="model", code="model_not_found")


def run_names(folders: Sequence[str]) -> list[str]:
    """The name of each run: its folder's own; raises ConfigError when two would have the same."""
    names = [Path(folder).name or str(folder) for folder in folders]
    for at, name in enumerate(names):
        if ":" in name:
            raise ConfigError("runs", folders[at], "its folder's name has a colon, which parts run and persona.")
        if name in names[:at]:
            raise ConfigError("runs", folders[at], f"two runs are named {name}. Rename one of the folders.")
    return names
