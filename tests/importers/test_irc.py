"""What somebody does on IRC is a turn; what the server tells is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers import read_conversations

SAID = "[12:00] <ann> who brings the oars?\n[12:01] <bob> not me\n"


def told(path: Path, lines: str) -> tuple[list[tuple[str, str]], dict[str, int]]:
    """The turns after the two that are said, and what is dropped."""
    path.write_text(SAID + lines, encoding="utf-8")
    tally = Tally()
    turns = [(turn.speaker, turn.text) for one in read_conversations(path, tally=tally) for turn in one.turns]
    return turns[2:], dict(tally.dropped)


@pytest.mark.parametrize(
    "does",
    [
        "waves",
        "has left her hat at the inn",
        "has quit smoking",
        "sets sail",
        "gives bob the other oar",
        "removes the cover",
        "has joined two ropes",
        "has changed boats",
        "is now known as the best rower of all",
        "quits",
    ],
)
@pytest.mark.parametrize("form", ["[12:02] * ann {}", "[12:02]  * ann {}", " * ann {}", "=== ann {}"])
def test_an_action_is_a_turn_in_every_form(tmp_path: Path, form: str, does: str) -> None:
    assert told(tmp_path / "lake.log", form.format(does) + "\n") == ([("ann", f"*{does}*")], {})


@pytest.mark.parametrize(
    "event",
    [
        "* cat (~c@inn.example.org) has joined #boats",
        "* cat (~c@inn.example.org) has left #boats (bye)",
        "* cat (~c@inn.example.org) Quit (Ping timeout)",
        "* cat has quit (Ping timeout: 258 seconds)",
        "* cat has quit",
        "* cat is now known as tom",
        "* ann sets mode: +o bob",
        "* ann sets ban on *!*@inn.example.org",
        "* ann gives channel operator status to bob",
        "* ann gives voice to bob",
        "* ann removes channel half-operator status from bob",
        "* ann has kicked bob from #boats (rude)",
        "* bob was kicked by ann (rude)",
        "* ann changes topic to 'Boats'",
        "* ann has changed the topic to: Boats",
        "* Joins: cat (~c@inn.example.org)",
        "* Quits: cat (~c@inn.example.org) (Ping timeout)",
        "* Now talking in #boats",
        "* Topic is 'Boats'",
        "* Set by ann on Wed May 01 09:00:00",
        "* Disconnected",
        "* You are now known as ann",
        "-!- cat [~c@inn] has joined #boats",
        "--> cat has joined this channel (~c@inn.example.org).",
        "<-- cat has left this server (Quit: Leaving).",
        '*** ann sets the channel topic to "Boats".',
        "*** Joins: cat (~c@inn.example.org)",
    ],
)
def test_an_event_is_none(tmp_path: Path, event: str) -> None:
    assert told(tmp_path / "lake.log", f"[12:02] {event}\n") == ([], {"system message": 1})


@pytest.mark.parametrize(
    "line",
    [
        "=== cat [~c@inn.example.org]  has joined #boats",
        '=== ann [~a@lake.example.org]  has left #boats ["Leaving"]',
        "=== ann is now known as ann_away",
        "=== Topic (#boats): set by ann at Wed May  1 09:00:00 2024",
        "=== somebody who never spoke",
        "* a line of a list that was pasted",
    ],
)
def test_a_line_without_a_time_is_an_action_only_of_somebody_who_speaks(tmp_path: Path, line: str) -> None:
    assert told(tmp_path / "lake.log", f"{line}\n") == ([], {"system message": 1})
