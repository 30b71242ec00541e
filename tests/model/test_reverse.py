"""The reverse model: what it learns, what it is asked, and which runs it fits."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import make_gpt2
from games import told
from scripted import talk as scripted_chat
from wolf_chatbox import ChatSession, train
from wolf_chatbox.config import ReadConfig, SamplingConfig, TrainConfig
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import ConfigError, DataError, ModelError
from wolf_chatbox.model.candidates import Reverse, rank
from wolf_chatbox.model.character import check_reverse
from wolf_chatbox.model.engines.engine import Engine
from wolf_chatbox.model.engines.torch import TorchDecoder
from wolf_chatbox.samples.dataset import backwards, choose, prepare, scenes_of
from wolf_chatbox.samples.rendering import Renderer, make_renderer
from wolf_chatbox.samples.styles import SYSTEM
from wolf_chatbox.scene import Scene
from wolf_chatbox.talk.why import why

laws = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
SPEAKERS = {"Ann": 5, "Bob": 5, "Old Eve": 5}
turns = st.tuples(st.sampled_from([*SPEAKERS, SYSTEM]), st.text("ab cそ<|>", min_size=1, max_size=9)).map(
    lambda drawn: Turn(*drawn)
)


class Listening:
    """An engine that notes what it is asked to score."""

    context = 10**6

    def scores(self, asked: Any) -> list[list[float]]:
        self.asked = asked
        return [[-1.0] * len(ids) for _, ids in asked]


@pytest.fixture(scope="module")
def renderers(tokenizer: Any, chat_tokenizer: Any) -> list[Renderer]:
    settings = [(style, persona) for style in ("dialogpt", "named") for persona in (None, "Bob")]
    made = [make_renderer(tokenizer, style, persona, "Ann", SPEAKERS) for style, persona in settings]
    return [*made, make_renderer(chat_tokenizer, "chat", "Bob", "Ann", SPEAKERS)]


@laws
@given(st.lists(turns, min_size=1, max_size=8), st.text("ab c", min_size=1, max_size=9))
def test_what_is_asked_is_how_a_reverse_run_learns_the_conversation(
    renderers: list[Renderer], talk: list[Turn], text: str
) -> None:
    """The prompt is a prefix of the ids that training sees, and what is scored after it is learnt there."""
    for renderer in renderers:
        scene = Scene(tuple(talk), speaker="Bob")
        reverse = Reverse(engine := Listening(), renderer)  # type: ignore[arg-type]
        likelihoods = reverse.likelihoods(scene, [text])
        if not {turn.speaker for turn in talk} - {"Bob", SYSTEM}:
            assert likelihoods is None
            continue
        [(prompt, ids)] = engine.asked
        # A system turn stands first, and nowhere else, in the conversations that are learnt.
        whole = Conversation((*(turn for turn in talk if turn.speaker != SYSTEM), Turn("Bob", text)))
        [(_, [scene])] = backwards(scenes_of([whole], "player", renderer), renderer.persona)
        [sample] = renderer.render([scene], 10**6, 0).samples
        end = len(prompt) + len(ids)
        assert sample.ids[:end] == [*prompt, *ids]
        assert all(sample.learn[len(prompt) : end])
        assert ids[-1] == renderer.end_id


@laws
@given(st.lists(turns, min_size=1, max_size=8), st.booleans())
def test_each_turn_is_learnt_backwards_once_and_accounted_for(tokenizer: Any, talk: list[Turn], heard: bool) -> None:
    talk.append(Turn("Bob", "Hm."))
    for persona in (None, "Bob"):
        renderer = make_renderer(tokenizer, "named", persona, "Ann", SPEAKERS)
        some = [turn._replace(heard=(turn.speaker, "Bob") if heard and at % 2 else ()) for at, turn in enumerate(talk)]
        parts = backwards(scenes_of([Conversation(tuple(some))], "player", renderer), persona)
        rendered = renderer.render(parts[0][1], 10**6, 0, len(talk))
        assert rendered.learnt + rendered.context + rendered.unused == len(talk)
        learnt = [turn for turn in talk if turn.speaker not in (persona, SYSTEM)]
        assert rendered.learnt == len(learnt)


def test_the_split_is_that_of_the_other_run_and_only_the_order_differs(config: Any, tokenizer: Any) -> None:
    forward, back = (prepare(config(persona="Bob", reverse=reverse), tokenizer, 64) for reverse in (False, True))
    assert (forward.held_out.learnt > 0, back.held_out.learnt > 0) == (True, True)

    def said(dataset: Any, learnt: bool) -> set[str]:
        rows = dataset.held_out_rows
        return {
            tokenizer.decode([id for id, learn in zip(sample.ids, sample.learn) if learn or not learnt])
            for row in rows
            for sample in row
        }

    def houses(dataset: Any) -> set[str]:
        return {text.split("in house ")[1][0] for text in said(dataset, learnt=False)}

    assert houses(forward) == houses(back)
    assert not said(forward, learnt=True) & said(back, learnt=True), "the one learns Bob, the other what he replies to"


def test_games_are_not_learnt_backwards() -> None:
    config = TrainConfig(data=("x",), reverse=True)
    with pytest.raises(DataError, match="games of werewolf are not learnt backwards"):
        choose(config, [told()], Tally())
    assert choose(replace(config, reverse=False), [told()], Tally()).conversations


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, tiny_gpt2: Path) -> tuple[Path, Path]:
    """A run, and its reverse, on talk in which a reply tells what was said before it."""
    place = tmp_path_factory.mktemp("runs")
    things = ["goose", "moon", "wolf", "inn"]
    lines = [json.dumps({"group": f"{at}", "turns": [{"speaker": "Ann", "text": f"I see the {things[at % 4]}"},
             {"speaker": "Bob", "text": f"Yes, a {things[at % 4]}"}]}) for at in range(48)]  # fmt: skip
    (place / "talk.jsonl").write_text("\n".join(lines))
    config = TrainConfig(
        data=(str(place / "talk.jsonl"),), model=str(tiny_gpt2), output=place / "run", persona="Bob", epochs=1,
        max_tokens=64, lr=2e-2, validation_share=0, read=ReadConfig(), sampling=SamplingConfig(max_new_tokens=8),
    )  # fmt: skip
    train(config)
    train(replace(config, output=place / "back", reverse=True, epochs=8))
    return place / "run", place / "back"


def test_a_reverse_run_ranks_what_fits_the_message_first(runs: tuple[Path, Path]) -> None:
    run, back = runs
    record = json.loads((back / "run.json").read_text())
    assert record["reverse"] is True
    assert "reverse" not in json.loads((run / "run.json").read_text())
    assert "--reverse-model back" in (back / "README.md").read_text()
    session = ChatSession.load(run, reverse_model=back, engine="torch", seed=1)
    reverse = session.voice.reverse
    assert reverse is not None
    texts = [f"Yes, a {thing}" for thing in ("moon", "goose", "wolf", "inn")]
    asked = Scene((Turn("Ann", "I see the goose"),), speaker="Bob")
    scores = rank(texts, [0.0] * 4, asked, reverse)
    assert max(scores, key=lambda candidate: candidate.score).text == "Yes, a goose"
    session.sampling = session.sampling.changed(best_of=4)
    session.reply("I see the wolf")
    told = "\n".join(why(session))
    assert "and of the message, by the reverse model" in told
    assert "0.50 x " in told


def test_a_reverse_run_does_not_chat_and_another_run_does_not_rank(runs: tuple[Path, Path], tmp_path: Path) -> None:
    run, back = runs
    with pytest.raises(ModelError, match=r"learnt conversations backwards, to rank replies\. Chat with the run"):
        ChatSession.load(back)
    with pytest.raises(ConfigError, match="did not learn conversations backwards"):
        ChatSession.load(run, reverse_model=run)
    record = {"style": "named", "persona": "Bob", "data": {"speakers": {"Ann": 1, "Bob": 1, "Eve": 1}}}
    other = tmp_path / "other"
    shutil.copytree(back, other)
    changes: list[tuple[dict[str, Any], str]] = [
        ({}, "does not know Eve, who speak in"),
        ({"style": "dialogpt"}, "has the style dialogpt, and .* named"),
        ({"style": "chat"}, "has the style chat"),
    ]
    for change, words in changes:
        written = json.loads((back / "run.json").read_text()) | change
        (other / "run.json").write_text(json.dumps(written))
        with pytest.raises(ConfigError, match=words):
            check_reverse(other, run, record)
    (other / "run.json").write_text(json.dumps(written | {"persona": "Ann"}))
    with pytest.raises(ConfigError, match=r"replies to Ann, and .* is Bob"):
        check_reverse(other, run, record | {"style": "chat"})
    assert check_reverse(back, run, record | {"data": {"speakers": {"Bob": 1}}}) == back


def test_who_answers_before_anybody_else_speaks_is_ranked_without_it(tokenizer: Any) -> None:
    reverse = Reverse(
        Engine(TorchDecoder(make_gpt2(len(tokenizer)))), make_renderer(tokenizer, "named", "Rick", "x", ())
    )
    for turns in ((), (Turn("Rick", "Hm."),)):
        [candidate] = rank(["Well."], [-1.0], Scene(turns, speaker="Rick"), reverse)
        assert (candidate.reverse, candidate.score) == (None, -1.0)
    assert scripted_chat(tokenizer, "Well.").reply("Hm?") == "Well."
