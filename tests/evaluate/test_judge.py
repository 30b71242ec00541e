"""A model as a judge, behind a server on the loopback."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from judged import server, study
from wolf_chatbox.errors import ConfigError, ModelError
from wolf_chatbox.evaluate.judging.judge import KEY, Judge, ask, complete, side_of
from wolf_chatbox.evaluate.judging.pairs import pairs

Reply = Callable[[dict[str, Any]], tuple[int, Any]]
Serve = Callable[[Reply], Judge]


def said(text: str) -> tuple[int, Any]:
    return 200, {"choices": [{"message": {"role": "assistant", "content": text}}]}


def shown(body: dict[str, Any]) -> dict[str, Any]:
    """The pair that a question shows."""
    text = body["messages"][0]["content"]
    found: dict[str, Any] = json.loads(text[text.index("{\n") : text.index("\n}") + 2])
    return found


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server that answers as a function says; gives the judge that it offers."""
    with ExitStack() as servers:
        yield lambda reply: Judge.of(servers.enter_context(server(reply)))


def test_a_judge_that_likes_one_entry_votes_for_it_whichever_is_first(serve: Serve) -> None:
    def fond(body: dict[str, Any]) -> tuple[int, Any]:
        return said('{"better": "A"}' if shown(body)["A"].startswith("good") else '{"better": "B"}')

    votes = list(ask(serve(fond), pairs(study(entries=("good", "base"))), "en"))
    assert len(votes) == 12
    assert all(vote and vote.points()["good"] == 1 and vote.steady and vote.voter == "judge:wise" for vote in votes)


def test_a_judge_that_likes_what_comes_first_has_no_preference(serve: Serve) -> None:
    votes = list(ask(serve(lambda body: said('{"better": "A"}')), pairs(study(), 6), "en"))
    assert all(vote and vote.choice == "tie" and not vote.steady for vote in votes)
    votes = list(ask(serve(lambda body: said('{"better": "tie"}')), pairs(study(), 6), "en"))
    assert all(vote and vote.choice == "tie" and vote.steady for vote in votes)


def test_only_the_pair_is_sent_and_the_key_of_the_environment(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    def note(body: dict[str, Any]) -> tuple[int, Any]:
        asked.append(body)
        return said('{"better": "tie"}')

    [pair] = pairs(study(1, 1, ("good", "base")))
    list(ask(serve(note), [pair], "ja"))
    assert asked[0]["key"] is None
    assert asked[0]["path"] == "/v1/chat/completions"
    assert asked[0]["model"] == "wise"
    assert shown(asked[0]) == {
        "conversation": ["Traveller: question 0 of day 0"],
        "speaker": "Grimbold",
        "A": pair.first.text,
        "B": pair.second.text,
    }
    assert "どちらの返答" in asked[0]["messages"][0]["content"]
    assert not any(name in str(asked[0]) for name in ("chosen", "entry"))
    monkeypatch.setenv(KEY, "secret")
    list(ask(serve(note), [pair], "en"))
    assert asked[-1]["key"] == "Bearer secret"


def test_an_unreadable_answer_is_asked_for_once_again(serve: Serve) -> None:
    def babble(body: dict[str, Any]) -> tuple[int, Any]:
        return said('{"better": "tie"}' if len(body["messages"]) == 3 else "I prefer A.")

    assert [vote and vote.choice for vote in ask(serve(babble), pairs(study(), 2), "en")] == ["tie", "tie"]


def test_a_judge_without_readable_answers_is_given_up(serve: Serve) -> None:
    asked = []
    judge = serve(lambda body: (asked.append(1), said("A"))[1])
    with pytest.raises(ModelError, match="answers no JSON"):
        list(ask(judge, pairs(study()), "en"))
    assert len(asked) < 60  # of 288


@pytest.mark.parametrize(
    ("answer", "side"),
    [
        ('{"better": "A"}', "A"),
        ('<think>A? {"better": "A"}</think>\n```json\n{"better": "tie"}\n```', "tie"),
        ('{"better": "C"}', None),
        ('{"better": "A", "why": "x"}', None),
        ('I say {"better": "A"}', None),
        ("[" * 100_000, None),
        ("", None),
    ],
)
def test_an_answer_is_read_strictly(answer: str, side: str | None) -> None:
    assert side_of(answer) == side


def test_a_busy_server_is_asked_again(serve: Serve) -> None:
    answers = [(503, {}), (429, {}), said("yes")]
    waited: list[float] = []
    assert complete(serve(lambda body: answers.pop(0)), [], waited.append) == "yes"
    assert waited == [2, 4]


def test_a_model_that_takes_no_temperature_is_asked_without(serve: Serve) -> None:
    def own(body: dict[str, Any]) -> tuple[int, Any]:
        return (400, {"error": {"message": "temperature: not supported"}}) if "temperature" in body else said("yes")

    assert complete(serve(own), []) == "yes"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            (401, {"error": {"message": "wrong\nkey."}}),
            "401 Unauthorized: wrong key. Check the address, the model and ",
        ),
        ((404, b"<html>"), "404 Not Found. Check"),
        ((302, b""), "302 Found. Check"),  # the key goes nowhere else
        ((200, b"<html>"), "no answer"),
        ((200, {"choices": []}), "no answer"),
    ],
)
def test_what_a_server_refuses_is_one_line(serve: Serve, answer: tuple[int, Any], told: str) -> None:
    with pytest.raises(ModelError) as error:
        complete(serve(lambda body: answer), [], lambda seconds: None)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_a_server_that_is_not_there_is_told() -> None:
    with pytest.raises(ModelError, match=r"no answer .*Check the address"):
        complete(Judge.of("http://127.0.0.1:9#m"), [])


@pytest.mark.parametrize("address", ["", "model", "http://here", "http://#m", "ftp://here#m", "http://here#"])
def test_an_address_without_a_server_and_a_model_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="URL and the model"):
        Judge.of(address)
    assert Judge.of("https://here/v1/#org/m#1") == ("https://here/v1/chat/completions", "org/m#1")
