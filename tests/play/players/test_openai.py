"""A player behind a server with OpenAI's API: what is sent, what is made of the answers, and what when none come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from judged import server
from serving import make_served, running
from wolf_chatbox.errors import ConfigError, ModelError
from wolf_chatbox.game import Event
from wolf_chatbox.play.casting import Cast, PlayersConfig
from wolf_chatbox.play.moderator import Moderator
from wolf_chatbox.play.players.openai import KEY, OpenAIPlayer, Server, names_in, unquoted
from wolf_chatbox.werewolf.rules import Village, deal
from wolf_chatbox.werewolf.sight import Line, Sight
from wolf_chatbox.werewolf.table import TableConfig

Reply = Callable[[dict[str, Any]], tuple[int, Any]]
Serve = Callable[[Reply], Server]
NAMES = ("Ann", "Ben", "Cid", "Dee", "Eve")


def said(text: str) -> tuple[int, Any]:
    return 200, {"choices": [{"message": {"role": "assistant", "content": text}}]}


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server that answers as a function says; gives what asks it."""
    with ExitStack() as servers:
        yield lambda reply: Server.named(servers.enter_context(server(reply)), PlayersConfig(temperature=0.5))  # type: ignore[call-arg]


def sight(role: str = "SEER") -> Sight:
    """What Ann knows on the first day, when Ben and she have spoken."""
    roles = {"Ann": role}
    made = Sight(TableConfig(), "01", "Ann", role, NAMES, roles, TableConfig().counts(), "age: 29", left=3)
    made.learn(Event(0, 0, "day"))
    made.hear(Line(0, 0, 0, "Ann", "Good evening."))
    made.hear(Line(1, 0, 0, "Ben", "Hello Ann."))
    made.hear(Line(2, 0, 0, "Cid", "I trust nobody."))
    return made


def test_the_scene_is_sent_as_messages_of_two_sides(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []
    asks = serve(lambda body: (asked.append(body), said("Ben and Cid are quiet."))[1])
    assert OpenAIPlayer(asks).answer("talk", sight()) == "Ben and Cid are quiet."
    roles = [message["role"] for message in asked[0]["messages"]]
    texts = [message["content"] for message in asked[0]["messages"]]
    assert roles == ["system", "user", "assistant", "user"]
    assert "You are Ann, the seer." in texts[0]
    assert "age: 29" in texts[0]
    assert "at most 125 characters" in texts[0]
    assert texts[2] == "Good evening."
    assert texts[3].startswith("Ben: Hello Ann.\nCid: I trust nobody.\n")
    assert (asked[0]["model"], asked[0]["temperature"], asked[0]["key"]) == ("wise", 0.5, None)
    assert "top_p" not in asked[0]
    monkeypatch.setenv(KEY, "secret")
    OpenAIPlayer(asks).answer("talk", sight())
    assert asked[1]["key"] == "Bearer secret"


def test_a_line_that_must_not_be_said_is_asked_for_again(serve: Serve) -> None:
    answers = ["Zed is a wolf \U0001f600", "<think>hm</think>Ann: \u201cWho speaks next?\u201d"]
    player = OpenAIPlayer(serve(lambda body: said(answers.pop(0))))
    assert player.answer("talk", sight()) == "Who speaks next?"
    assert player.account == {"drawn again": 1, "emoji": 1, "said": 1}
    player = OpenAIPlayer(serve(lambda body: said("\U0001f600 \U0001f600 yes")))
    assert player.answer("talk", sight()) == "Over"
    assert player.account["fallback"] == 1
    assert OpenAIPlayer(serve(lambda body: said("Over"))).answer("talk", sight()) == "Over"


def test_a_target_is_the_one_legal_name_of_an_answer(serve: Serve) -> None:
    asked: list[Any] = []
    answers = ["Ben or Cid", "Zed", "I vote for Cid."]
    player = OpenAIPlayer(serve(lambda body: (asked.append(body["messages"]), said(answers.pop(0)))[1]))
    assert player.answer("vote", sight()) == "Cid"
    assert asked[0][-1]["content"].endswith("one of these names and nothing else: Ben, Cid, Dee, Eve")
    assert [len(messages) for messages in asked] == [4, 6, 8]
    seer = sight()
    seer.learn(Event(0, 0, "divine", "Ann", "Dee", "WEREWOLF"))
    player = OpenAIPlayer(serve(lambda body: said("Nobody.")))
    assert player.answer("vote", seer) == "Dee"  # as the rules player would
    assert player.account == {"fallback": 1}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Cid.", ["Cid"]),
        ("Cidre for Bene", []),
        ("**Ben**", ["Ben"]),
        ("Ben, not Cid", ["Ben", "Cid"]),
        ("Ann Lee", ["Ann Lee"]),
        ("ハルさんに投票", ["ハル"]),
        ("ハルカに投票", []),
        ("Agent[01]", ["Agent[01]"]),
    ],
)
def test_a_name_within_another_word_is_no_name(text: str, found: list[str]) -> None:
    assert sorted(names_in(text, ["Ann", "Ann Lee", "Ben", "Cid", "ハル", "Agent[01]"])) == found


def test_what_stands_around_an_answer_is_taken_off() -> None:
    assert unquoted(' **Ann**: "Hello." ', "Ann") == "Hello."
    assert unquoted("「こんばんは。」", "アン") == "こんばんは。"
    assert unquoted('"A" and "B"', "Ann") == '"A" and "B"'


def test_a_server_that_never_answers_is_an_error_and_one_that_did_is_done_without(serve: Serve) -> None:
    with pytest.raises(ModelError, match=rf"401 Unauthorized.*{KEY}"):
        OpenAIPlayer(serve(lambda body: (401, {}))).answer("talk", sight())
    with pytest.raises(ModelError, match="302"):  # the key goes nowhere else
        OpenAIPlayer(serve(lambda body: (302, b""))).answer("vote", sight())
    answers = [said("Hello there."), (404, {}), (404, {})]
    player = OpenAIPlayer(serve(lambda body: answers.pop(0)))
    assert player.answer("talk", sight()) == "Hello there."
    assert player.answer("talk", sight()) == "Over"
    assert player.answer("vote", sight()) in NAMES[1:]
    assert player.account["fallback"] == 2


def test_a_line_that_nobody_answered_yet_is_kept_in_talk_at_any_time(serve: Serve) -> None:
    asked: list[Any] = []
    player = OpenAIPlayer(serve(lambda body: (asked.append(1), said(f"I wonder why it is {len(asked)}."))[1]), 1)
    seen = sight()
    first = player.bid(seen, 60)
    assert first is not None
    seen.hear(Line(3, 0, 0, "Dee", "So what?"))
    again = player.bid(seen, 55)
    assert again is not None
    assert again.text == first.text
    seen.hear(Line(4, 0, 1, "Dee", "Ann?"))
    other = player.bid(seen, 50)
    assert other is not None
    assert other.text != first.text
    seen.left = 0
    assert player.bid(seen, 45) is None
    assert len(asked) == 2


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_whole_game_is_played_by_a_server(serve: Serve, language: str) -> None:
    def reply(body: dict[str, Any]) -> tuple[int, Any]:
        *_, names = body["messages"][-1]["content"].rpartition(": ")
        chosen = names.split(", ")
        return said(chosen[-1] if len(chosen) > 1 else "Over")

    table = TableConfig(language=language)  # type: ignore[arg-type]
    asks = serve(reply)
    village = Village(table, deal(table, NAMES, 1), 1)
    Moderator(village, {name: OpenAIPlayer(asks) for name in NAMES}).lead()
    assert village.winner
    assert not village.invalid


def test_our_own_server_is_a_player(tokenizer: Any) -> None:
    with running([make_served(tokenizer)]) as (url, _):
        asks = Server.named(f"{url}/v1#run", PlayersConfig())
        player = OpenAIPlayer(asks)
        assert player.answer("vote", sight()) in NAMES[1:]
        assert asks.ask([{"role": "user", "content": "Hello."}]) is not None


def test_an_address_without_a_model_is_refused() -> None:
    with pytest.raises(ConfigError, match="URL and the model") as error:
        Cast(PlayersConfig()).make("openai:http://127.0.0.1:1", "player")
    assert error.value.setting == "player"
    assert Server.named("http://127.0.0.1:1/v1#gpt-4", PlayersConfig()).team == "gpt-4_"
