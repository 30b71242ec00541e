"""What one person may see of a game of werewolf: nothing of another role, until it may."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from wolf_chatbox.game import WEREWOLF
from wolf_chatbox.page.outlook import finished, outlook
from wolf_chatbox.play.moderator import Moderator
from wolf_chatbox.play.players.chance import ChancePlayer
from wolf_chatbox.werewolf.rules import Village, deal
from wolf_chatbox.werewolf.sight import Kind, Sight
from wolf_chatbox.werewolf.steps import Step
from wolf_chatbox.werewolf.table import TableConfig

NAMES = ("Ann", "Bob", "Cid", "Dan", "Eve", "Fay", "Gus", "Hal", "Ida", "Jon", "Kim", "Lea", "Max")


class Thinker(ChancePlayer):
    """Says and thinks what can be told apart from everything else."""

    def answer(self, kind: Kind, sight: Sight) -> str | None:
        self.thought = f"<thought of {sight.me}>"
        answer = super().answer(kind, sight)
        if kind == "whisper" and answer != "Over":
            return f"<whisper of {sight.me}>"
        return answer


def play(number: int, seed: int, look: Any, **rules: Any) -> Village:
    """A game of players by chance; `look` is called at each step."""
    table = TableConfig(players=number, talks=2, whispers=2, **rules)
    village = Village(table, deal(table, NAMES[:number], seed), seed)
    players = {name: Thinker(f"{seed} {name}") for name in village.names}
    return Moderator(village, players, watch=look).lead()


@pytest.mark.parametrize(("number", "seed"), [(5, 1), (5, 2), (9, 3), (13, 4), (13, 5)])
def test_nobody_sees_what_only_others_may_know(number: int, seed: int) -> None:
    seen_by_wolves = Counter[str]()

    def look(village: Village, step: Step) -> None:
        for me in ("", *village.names) if not village.onlooker.over else ():
            seen = outlook(village, me, step, "en", None)
            if me in village.dead:
                assert {seat.name: seat.role for seat in seen.seats} == village.roles
                continue
            role = village.roles.get(me, "")
            known = {seat.name: seat.role for seat in seen.seats if seat.role}
            wolves = {name for name, its in village.roles.items() if its == WEREWOLF}
            assert set(known) == ({me} | (wolves if role == WEREWOLF else set()) if me else set())
            whispers = [entry for entry in seen.entries if entry.what == "whisper"]
            assert role == WEREWOLF or not whispers
            seen_by_wolves[role] += len(whispers)
            assert not any(entry.what == "thought" for entry in seen.entries)
            told = [entry.text for entry in seen.entries if entry.what == "told"]
            for text, who in (
                ("guarded", "BODYGUARD"),
                ("found out", "SEER MEDIUM"),
                ("votes for an attack", "WEREWOLF"),
                ("survived", "nobody"),
            ):
                assert role in who.split() or not any(text in one for one in told), (role, text)
            assert all(entry.secret for entry in seen.entries if "found out" in entry.text)
            if seen.phase == "night":
                assert seen.speaks == "" or role == WEREWOLF
            assert seen.winner == ""

    play(number, seed, look)
    assert (seen_by_wolves[WEREWOLF] > 0) == (number > 5)


def test_the_dead_and_everybody_after_the_end_see_whispers_roles_and_thoughts() -> None:
    graves = []

    def look(village: Village, step: Step) -> None:
        graves.extend(outlook(village, name, step, "en", None) for name in village.dead)

    village = play(9, 7, look)
    assert graves
    for seen in (graves[-1], outlook(village, "", None, "en", dict.fromkeys(village.names, "random"))):
        assert seen.knows_all
        assert {entry.what for entry in seen.entries} == {"day", "night", "told", "talk", "whisper", "thought"}
        assert all(seat.role for seat in seen.seats)
    end = outlook(village, "Ann", None, "en", dict.fromkeys(village.names, "random"))
    assert end.over
    assert end.winner == village.winner
    assert {seat.team for seat in end.seats} == {"random"}


def test_a_game_that_is_kept_is_shown_as_it_was() -> None:
    village = play(9, 7, lambda village, step: None)
    kept, was = finished(village.conversation(), "en"), outlook(village, "", None, "en", {})
    entries, others = ([entry for entry in seen.entries if entry.what != "thought"] for seen in (kept, was))
    assert entries == others
    assert sorted(kept.entries) == sorted(was.entries)  # what was thought before Over stands before the next turn
    assert kept.seats == was.seats
    assert kept.ballots == was.ballots
    assert (kept.winner, kept.over) == (village.winner, True)


def test_a_thought_stands_before_what_came_of_it() -> None:
    village = play(5, 2, lambda village, step: None)
    entries = outlook(village, "", None, "en", {}).entries
    at = next(place for place, entry in enumerate(entries) if entry.text.startswith("The votes"))
    before = [entry for entry in entries[at - 5 : at] if entry.what == "thought"]
    assert sorted(entry.who for entry in before) == sorted(NAMES[:5])


@pytest.mark.parametrize("public", [True, False])
def test_votes_lie_with_their_targets_until_the_next_day_and_hidden_ones_nowhere(public: bool) -> None:
    most = 0

    def look(village: Village, step: Step) -> None:
        nonlocal most
        seats = outlook(village, "", step, "en", None).seats
        votes = {voter: seat.name for seat in seats for voter in seat.votes}
        events = [event for event in village.events if event.kind in ("day", "vote")]
        today = [event for event in events if event.day == events[-1].day and event.kind == "vote"] if events else []
        assert votes == ({event.actor: event.target for event in today} if public else {})
        most = max(most, len(votes))

    play(9, 3, look, public_votes=public)
    assert most == (9 if public else 0)


def test_claims_and_what_is_hostile_are_shown_as_such() -> None:
    class Claims(ChancePlayer):
        def answer(self, kind: Kind, sight: Sight) -> str | None:
            return "I am the seer. \u202egnp <b>x</b>" if kind == "talk" else super().answer(kind, sight)

    table = TableConfig(talks=1)
    village = Village(table, deal(table, NAMES[:5], 1), 1)
    Moderator(village, {name: Claims(name) for name in village.names}).lead()
    seen = outlook(village, "", None, "ja", {})
    said = [entry for entry in seen.entries if entry.what == "talk"]
    assert {entry.text for entry in said} == {"I am the seer. [U+202E]gnp <b>x</b>"}
    assert all(entry.claims == ("SEER",) for entry in said)
    assert {seat.claims for seat in seen.seats if seat.name in {entry.who for entry in said}} == {("SEER",)}
    assert any(entry.text.endswith("ゲームは終わりました。") or "追放" in entry.text for entry in seen.entries)
