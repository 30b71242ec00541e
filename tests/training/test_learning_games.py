"""What a model learns from points of view: briefings before each sample, each line once, in every style."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from games import PLAYERS, games, told
from wolf_chatbox.cli import app, run
from wolf_chatbox.config import SamplingConfig, TrainConfig
from wolf_chatbox.conversation import Conversation, Turn, write_conversations
from wolf_chatbox.errors import ConfigError, DataError, StyleError
from wolf_chatbox.samples.dataset import prepare
from wolf_chatbox.samples.rendering import Renderer, make_renderer
from wolf_chatbox.training.loop import train
from wolf_chatbox.training.progress import Evaluated
from wolf_chatbox.werewolf.views import learners_of, view, watch


def renderers(tokenizer: Any, chat_tokenizer: Any) -> list[Renderer]:
    names = [player.name for player in PLAYERS]
    return [
        make_renderer(tokenizer, "named", None, "Ken", names),
        make_renderer(tokenizer, "dialogpt", None, "Ken", names),
        make_renderer(chat_tokenizer, "chat", None, "Ken", names, by_view=True),
    ]


@settings(max_examples=30)
@given(games(), st.integers(60, 300), st.integers(0, 40))
def test_the_prompt_for_a_turn_in_a_view_is_a_prefix_of_what_training_saw(
    tokenizer: Any, chat_tokenizer: Any, conversation: Conversation, room: int, context: int
) -> None:
    for renderer in renderers(tokenizer, chat_tokenizer):
        for scene in view(conversation, "player"):
            for max_tokens in (10**6, room):
                samples = renderer.render([scene], max_tokens, context).samples
                start = renderer.start(scene, max_tokens)
                assert len(start) <= max(max_tokens // 2, len(renderer.head(scene.narrator, scene)) + 20)
                assert all(sample.ids[: len(start)] == start for sample in samples)
            [whole] = renderer.render([scene], 10**6, 0).samples
            for at, turn in enumerate(scene.turns):
                if turn.speaker in scene.learners:
                    prompt = renderer.prompt(scene.before(at, most=at), 10**6)
                    assert whole.ids[: len(prompt)] == prompt
                    assert whole.learn[len(prompt)], "and what comes next is learnt"


@settings(max_examples=40)
@given(games(), st.integers(80, 300), st.integers(0, 40))
def test_rows_of_a_game_account_for_every_turn(
    tokenizer: Any, conversation: Conversation, room: int, context: int
) -> None:
    assert conversation.game is not None
    renderer = make_renderer(tokenizer, "named", None, "Ken", conversation.speakers() or {"Ken"})
    for kind in ("player", "player:SEER", "moderator"):
        rendered = renderer.render(view(conversation, kind), room, context, len(conversation.turns))
        learners = learners_of(conversation.game, kind)
        assert rendered.learnt == sum(turn.speaker in learners for turn in conversation.turns)
        assert rendered.learnt + rendered.context + rendered.unused == len(conversation.turns)
        words = [token for sample in rendered.samples for token, learn in zip(sample.ids, sample.learn) if learn]
        if not rendered.cut:
            text = tokenizer.decode(words).split(tokenizer.eos_token)
            assert Counter(line.strip() for line in text if line) == Counter(
                turn.text for turn in conversation.turns if turn.speaker in learners
            )


def test_a_long_briefing_keeps_who_one_is_and_what_one_alone_knows(tokenizer: Any) -> None:
    scene = list(watch(told(), "Rin"))[3]
    renderer = make_renderer(tokenizer, "named", None, "Ken", ["Ken", "Rin"])
    whole = len(renderer.start(scene, 10**6))
    text = tokenizer.decode(renderer.start(scene, 2 * whole - 2))
    assert text == (
        "Moderator: You are Rin, the seer. It is day 2. Alive: Ken, Rin, Mio. Dead: Aoi, Jun.\n"
        "Day 0: You found out that Ken is a werewolf.<|endoftext|>"
    )
    assert len(renderer.start(scene, 40)) == 20


def test_a_chat_model_is_the_player_whose_view_it_is(chat_tokenizer: Any) -> None:
    [renderer] = [renderer for renderer in renderers(chat_tokenizer, chat_tokenizer) if renderer.style.name == "chat"]
    [*_, sample] = renderer.render(view(told(), "player:SEER"), 10**6, 0).samples
    assert chat_tokenizer.decode(sample.ids) == (
        "<|im_start|>system\nYou are Rin, the seer. It is day 0. Alive: Ken, Rin, Mio, Aoi, Jun.<|im_end|>\n"
        "<|im_start|>assistant\nGood morning.<|im_end|>\n"
    )
    [*_, sample] = renderer.render(view(told(), "player", "Ken"), 10**6, 0).samples
    text = chat_tokenizer.decode(sample.ids)
    assert text.startswith("<|im_start|>system\nYou are Ken, a werewolf. Werewolves beside you: Aoi. It is day 2.")
    assert text.endswith("<|im_start|>user\nMio: Aoi was a wolf.<|im_end|>\n<|im_start|>assistant\nWas it?<|im_end|>\n")


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "games.jsonl"
    with path.open("w", encoding="utf-8") as file:
        write_conversations(
            [
                Conversation((Turn("Rin", f"Morning {number}."), *told().turns[1:]), "", told().game)
                for number in range(4)
            ],
            file,
        )
        write_conversations(
            [Conversation((Turn("Ken", "No game."), Turn("Pat", "None.")), f"chat {number}") for number in range(4)],
            file,
        )
    return path


def test_each_turn_of_the_data_is_counted_once(tokenizer: Any, corpus: Path) -> None:
    def turns(**settings: Any) -> dict[str, int]:
        return prepare(TrainConfig(data=(str(corpus),), **({"validation_share": 0} | settings)), tokenizer, 200).turns()

    assert turns() == {"read": 48, "learnt": 48, "held out": 0, "context only": 0, "dropped": 0}
    assert turns(view="moderator") == turns()
    # Rin speaks once a game, at its very beginning; what the chats say is learnt all the same.
    assert turns(view="player:SEER") == {"read": 48, "learnt": 12, "held out": 0, "context only": 0, "dropped": 36}
    # Mio speaks once, when a grave's turn was not heard.
    assert turns(persona="Mio") == {"read": 48, "learnt": 4, "held out": 0, "context only": 0, "dropped": 44}
    assert turns(persona="Jun") == {"read": 48, "learnt": 12, "held out": 0, "context only": 4, "dropped": 32}
    held = turns(validation_share=0.3, seed=1)
    assert held["learnt"] + held["held out"] == 48
    assert held["held out"] in (10, 12, 14)


def test_speakers_are_counted_on_the_games(tokenizer: Any, corpus: Path) -> None:
    dataset = prepare(TrainConfig(data=(str(corpus),), validation_share=0), tokenizer, 200)
    assert dataset.speakers == {"Ken": 16, "Jun": 12, "Aoi": 8, "Rin": 4, "Mio": 4, "Pat": 4}
    assert dataset.persona is None
    assert all(said.speaker in scene.learners for scene, said in dataset.contexts if scene.learners is not None)


def test_games_alone_can_be_learnt_as_chats_without_a_persona(
    chat_tokenizer: Any, corpus: Path, tmp_path: Path
) -> None:
    config = TrainConfig(data=(str(corpus),), style="chat", validation_share=0)
    with pytest.raises(StyleError, match="--persona"):
        prepare(config, chat_tokenizer, 200)
    alone = tmp_path / "alone.jsonl"
    alone.write_text("".join(line for line in corpus.read_text().splitlines(keepends=True) if '"game"' in line))
    dataset = prepare(TrainConfig(data=(str(alone),), style="chat", validation_share=0), chat_tokenizer, 200)
    assert dataset.renderer.style.name == "chat"
    assert dataset.persona is None
    assert dataset.turns()["learnt"] == 40
    with pytest.raises(StyleError, match="--persona"):
        prepare(
            TrainConfig(data=(str(alone),), style="chat", view="moderator", validation_share=0), chat_tokenizer, 200
        )


def test_a_view_that_cannot_be_is_refused(tokenizer: Any, corpus: Path, tmp_path: Path) -> None:
    for name in ("players", "player:", "player:KING", "moderator:SEER", ""):
        with pytest.raises(ConfigError, match=r"view = .*: must be player, moderator, or player:ROLE"):
            TrainConfig(data=("x",), view=name)
    TrainConfig(data=("x",), view="player:seer")
    alone = tmp_path / "alone.jsonl"
    alone.write_text("".join(line for line in corpus.read_text().splitlines(keepends=True) if '"game"' in line))
    with pytest.raises(DataError, match="no turns by players with the role FOX"):
        prepare(TrainConfig(data=(str(alone),), view="player:FOX", validation_share=0), tokenizer, 200)


@pytest.mark.usefixtures("fp32")
def test_a_run_learns_from_views_and_talks_from_them(tiny_gpt2: Path, corpus: Path, tmp_path: Path) -> None:
    told_of: list[object] = []
    config = TrainConfig(
        data=(str(corpus),),
        model=str(tiny_gpt2),
        output=tmp_path / "model",
        max_tokens=128,
        view="player:WEREWOLF",
        validation_share=0.3,
        sampling=SamplingConfig(max_new_tokens=4),
    )
    train(config, told_of.append)
    record = json.loads((tmp_path / "model" / "run.json").read_text())
    assert record["settings"]["view"] == "player:WEREWOLF"
    assert record["data"]["speakers"]["Mio"] == 4, "who is not learnt is known all the same"
    replies = [reply for event in told_of if isinstance(event, Evaluated) for reply in event.replies]
    assert replies
    assert {reply.said.speaker for reply in replies} <= {"Ken", "Aoi", "Pat"}


def test_inspect_shows_what_a_view_would_learn(
    tiny_gpt2: Path, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def look(view: str) -> Any:
        assert (
            run(
                lambda: app(
                    ["data", "inspect", str(corpus), "--model", str(tiny_gpt2), "--view", view, "--json"],
                    exit_on_error=False,
                ),
                {},
            )
            == 0
        )
        return json.loads(capsys.readouterr().out)["tokens"]

    everybody, seers = look("player"), look("player:seer")
    assert seers["learnt"] < everybody["learnt"] / 2
    assert any(
        "You are Rin, the seer." in text and not learnt for sample in seers["samples"] for text, learnt in sample
    )
    assert (
        run(
            lambda: app(
                ["data", "inspect", str(corpus), "--model", str(tiny_gpt2), "--view", "king"], exit_on_error=False
            ),
            {},
        )
        == 2
    )
    assert capsys.readouterr().err.startswith("error: --view king: must be player, moderator, or player:ROLE")
