"""Blind votes on the page: nothing tells who is who before the vote, and what votes are worth."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from playwright.sync_api import Page, expect

from browsing import Site
from judged import vote
from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.conversation import Turn
from wolf_chatbox.data.preferences import read_preferences
from wolf_chatbox.errors import ChatError, ConfigError, ModelError
from wolf_chatbox.evaluate.judging.votes import Vote, add_vote, read_votes
from wolf_chatbox.page.judging.ballots import (
    compared,
    note_match,
    remove_votes,
    score,
    sign_test,
    summaries,
    voter_name,
    votes_path,
)
from wolf_chatbox.page.judging.contest import Match, Side, draw, is_at_hand, match_of, pair_of
from wolf_chatbox.page.judging.games import Games
from wolf_chatbox.page.judging.held_out import held_out, sources
from wolf_chatbox.samples.learnt import Learnt
from wolf_chatbox.scene import Scene
from wolf_chatbox.talk.server.gate import Gate

MATCH = Match(Side("goose"), Side("goose", base=True), "as they were")


def desk(*names: str, **parts: Any) -> Any:
    """A desk with runs of these names."""
    runs = {name: SimpleNamespace(name=name, record={"started": name}) for name in names}
    return SimpleNamespace(characters=SimpleNamespace(find=runs.get), **parts)


# Sides and matches.


def test_a_match_is_the_same_whichever_side_stands_first() -> None:
    one, other = Side("goose"), Side("goose", temperature=1.5)
    assert (one.entry, other.entry) == ("goose", "goose temperature=1.5")
    assert Side("goose", base=True).entry == "goose:base"
    assert match_of(desk("goose"), one, other).id == match_of(desk("goose"), other, one).id


def test_votes_on_a_run_that_was_trained_anew_are_another_matchs() -> None:
    new = SimpleNamespace(name="goose", record={"started": "later"})
    again = SimpleNamespace(characters=SimpleNamespace(find={"goose": new}.get))
    assert match_of(desk("goose"), *_sides()).id != match_of(again, *_sides()).id  # type: ignore[arg-type]


def _sides() -> tuple[Side, Side]:
    return Side("goose"), Side("goose", base=True)


def test_the_same_on_both_sides_is_no_match_and_a_run_that_is_gone_is_told() -> None:
    with pytest.raises(ConfigError, match="both sides"):
        match_of(desk("goose"), Side("goose"), Side("goose"))
    with pytest.raises(ModelError, match="duck"):
        match_of(desk("goose"), Side("goose"), Side("duck"))


def test_only_base_models_of_this_machine_are_at_hand(base_model: Path, tmp_path: Path) -> None:
    assert is_at_hand(str(base_model))
    assert not is_at_hand(str(tmp_path / "gone"))
    assert not is_at_hand("nobody/no-such-model")


# Scores.


def votes(*choices: str, first: str = "goose") -> list[Vote]:
    second = "goose:base" if first == "goose" else "goose"
    return [vote(first, second, choice, at) for at, choice in enumerate(choices)]  # type: ignore[arg-type]


def test_nobodys_votes_say_nothing() -> None:
    assert score([], "goose", "goose:base").share.value is None


@pytest.mark.parametrize("count", range(1, 6))
def test_few_votes_never_tell_even_if_all_agree(count: int) -> None:
    found = score(votes(*["first"] * count), "goose", "goose:base")
    assert (found.votes, found.wins, found.losses, found.better) == (count, count, 0, 0)
    assert found.share.low is not None
    assert found.share.high is not None
    assert found.share.low < found.share.high


def test_many_votes_tell_whichever_was_shown_first_and_whoever_is_asked_for() -> None:
    cast = votes(*["first"] * 6) + [vote("goose:base", "goose", "second", at) for at in range(6, 12)]
    won, lost = score(cast, "goose", "goose:base"), score(cast, "goose:base", "goose")
    assert (won.better, lost.better) == (1, -1)
    assert won.share.value == pytest.approx(1 - (lost.share.value or 0))
    assert score(votes(*["tie"] * 12), "goose", "goose:base").better == 0
    assert score(votes(*["first", "second"] * 10), "goose", "goose:base").share.value == pytest.approx(0.5)


def test_the_sign_test_is_the_exact_one() -> None:
    assert sign_test(6, 0) == 2 / 64
    assert sign_test(5, 0) == 2 / 32
    assert sign_test(0, 0) == sign_test(3, 3) == 1.0
    assert sign_test(8, 2) == sign_test(2, 8) == pytest.approx(2 * (45 + 10 + 1) / 1024)


# Files.


def test_votes_are_kept_in_the_form_that_training_reads(tmp_path: Path) -> None:
    scene = Scene((Turn("You", "Who is there?"),), speaker="Ann")
    pair = pair_of(MATCH, scene, ("the goose", "I am"), swapped=True, conversation=None)
    assert (pair.first.entry, pair.second.entry) == ("goose:base", "goose")
    path = votes_path(tmp_path, MATCH)
    note_match(tmp_path, MATCH)
    for cast in (Vote(pair, "second", ""), Vote(pair, "tie", "bob", bad=True)):
        add_vote(path, cast)
    learnt, tie = read_preferences(path)
    assert learnt is not None
    assert tie is None
    assert (learnt.chosen.text, learnt.rejected.text, learnt.context) == ("the goose", "I am", scene.turns)
    [one] = compared(tmp_path)
    assert one.match == MATCH
    assert [(cast.voter, cast.choice, cast.bad) for cast in one.votes] == [("", "first", False), ("bob", "tie", True)]
    assert stat.S_IMODE(path.with_suffix(".json").stat().st_mode) == 0o600
    remove_votes(one)
    assert compared(tmp_path) == []
    assert not list(tmp_path.iterdir())


def test_files_of_other_hands_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("{}\n")
    (tmp_path / "a.json").write_text("[]")
    (tmp_path / "b.jsonl").write_text("{}\n")
    note_match(tmp_path, MATCH)
    votes_path(tmp_path, MATCH).write_text("no vote\n")
    assert compared(tmp_path) == []


def test_a_run_is_told_what_was_voted_on_it(tmp_path: Path) -> None:
    note_match(tmp_path, MATCH)
    add_vote(votes_path(tmp_path, MATCH), vote("goose", "goose:base", "first"))
    place: Any = SimpleNamespace(workspace=SimpleNamespace(votes=tmp_path), games=Games(tmp_path / "games"))
    [one] = summaries(place, "goose")
    assert (one.sides, one.answers) == ((MATCH.one, MATCH.other), 1)
    assert one.address == f"/compare?id={MATCH.id}"
    assert summaries(place, "duck") == []


@pytest.mark.parametrize(
    ("given", "kept"), [("", ""), (" Ann \n B ", "Ann B"), ("judge:gpt", "gpt"), ("x" * 99, "x" * 40), ("花子", "花子")]
)
def test_a_voters_name_is_short_and_no_models(given: str, kept: str) -> None:
    assert voter_name(given) == kept


# What is asked.


def test_real_exchanges_are_never_learnt_ones(trained: Path, tmp_path: Path) -> None:
    found = held_out([str(trained)], tmp_path)
    known = Learnt.read(trained)
    assert known is not None
    assert found
    for exchange in found:
        assert exchange.scene.turns
        assert exchange.scene.speaker == exchange.said.speaker
    houses = {exchange.said.text.rpartition(" ")[2] for exchange in found}
    assert 0 < len(houses) < 12  # of twelve episodes, each in a house of its own


def test_the_files_of_a_character_that_was_made_here_are_found(tmp_path: Path) -> None:
    run = tmp_path / "characters" / "goose"
    (tmp_path / "making" / "one").mkdir(parents=True)
    (tmp_path / "making" / "two").mkdir()
    settings = {"output": str(run), "data": ["chat.txt"], "scrub": True, "pseudonyms": "who.json"}
    (tmp_path / "making" / "one" / "settings.yaml").write_text("[broken")
    (tmp_path / "making" / "two" / "settings.yaml").write_text(yaml.safe_dump(settings))
    assert sources(tmp_path / "making", run) == (("chat.txt",), Path("who.json"))
    assert sources(tmp_path / "making", tmp_path / "other") == ((), None)
    assert sources(tmp_path / "gone", run) == ((), None)


class Endless:
    """A voice that speaks until it is told to stop, or that has no room for the prompt."""

    def __init__(self, over: Callable[[], bool]) -> None:
        self.text, self.over = "", over

    def __iter__(self) -> Any:
        while not self.over():
            self.text += "la "
            yield "la "


def drawn(answer: Callable[..., Any], over: Callable[[], bool]) -> tuple[str, Gate]:
    """What is drawn of a voice, and its gate afterwards."""
    gate = Gate(1, 8)
    with ThreadPoolExecutor(1) as threads:
        place: Any = SimpleNamespace(rooms=SimpleNamespace(threads=threads))
        served: Any = SimpleNamespace(gate=gate, character=SimpleNamespace(voice=SimpleNamespace(answer=answer)))
        return asyncio.run(draw(place, served, Scene((), speaker="Ann"), SamplingConfig(), over)), gate


def test_a_stop_ends_a_reply_and_gives_its_place_back() -> None:
    asked = iter([False, False, True])
    text, gate = drawn(lambda *given, over: Endless(over), lambda: next(asked))
    assert text == "la la"
    assert gate.running == 0


def test_what_does_not_fit_the_context_is_an_empty_reply() -> None:
    def full(*given: Any, over: Any) -> Any:
        raise ChatError("the message fills the context.")

    text, gate = drawn(full, lambda: False)
    assert text == ""
    assert gate.running == 0


# In a browser.


@pytest.mark.slow
def test_a_vote_by_keys_then_who_is_who(site: Site, visit: Callable[..., Page]) -> None:
    page = visit(f"{site.url}/compare?run=goose")
    expect(page.get_by_role("combobox", name="Second")).to_have_value("base model of goose")
    page.get_by_label("Your name").fill("Ann")
    prompt = page.get_by_label("What both are asked")
    prompt.fill("the goose number 3 is in house 4")
    prompt.press("Enter")
    expect(page.get_by_role("button", name="A is better")).to_be_enabled()
    duel = page.locator(".duel")
    for name in ("goose\n", "base model"):
        assert name not in duel.inner_text() + duel.inner_html()
    page.keyboard.press("0")
    expect(duel.locator(".duel-who")).to_have_count(2)
    assert sorted(duel.locator(".duel-who").all_inner_texts()) == ["base model of goose", "goose"]
    expect(page.get_by_text("1 vote: too few to tell")).to_have_count(2)  # the score, and the list

    page.keyboard.press("Enter")
    expect(prompt).to_be_focused()
    page.get_by_role("button", name="Take a real exchange").click()
    expect(page.get_by_text("From conversations that neither has learnt")).to_be_visible()
    expect(page.get_by_role("button", name="A is better")).to_be_enabled()
    second = duel.locator(".duel-text").nth(1).inner_text()
    page.get_by_role("button", name="B is better").click()
    expect(page.get_by_text("What was really said:")).to_be_visible()
    entry = {"goose": "goose", "base model of goose": "goose:base"}[duel.locator(".duel-who").nth(1).inner_text()]
    expect(page.get_by_text("2 votes: too few to tell")).to_have_count(2)

    [path] = (site.home / "votes").glob("*.jsonl")
    bad, chosen = read_votes([path])
    assert (bad.choice, bad.bad, bad.voter) == ("tie", True, "Ann")
    assert (chosen.choice, chosen.pair.first.entry) == ("first", entry)  # the file has who won first
    assert chosen.pair.first.text in (second, "" if second == "(no words)" else second)
    assert {chosen.pair.first.entry, chosen.pair.second.entry} == {"goose", "goose:base"}
    assert json.loads(path.with_suffix(".json").read_text())["one"]["run"] == "goose"
    page.goto(f"{site.url}/runs/goose")
    page.get_by_role("link", name="2 votes: goose wins").click()
    expect(page.get_by_role("combobox", name="Second")).to_have_value("base model of goose")
    expect(page.get_by_label("Your name")).to_have_value("Ann")
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Nobody has voted on these two yet.")).to_be_visible()
    assert not path.exists()
