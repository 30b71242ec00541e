"""Several characters in one chat: who speaks next, and the law that nobody knows what it has not heard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scripted import talk
from wolf_chatbox.conversation import Turn
from wolf_chatbox.errors import ChatError, DataError
from wolf_chatbox.model.voice import Voice
from wolf_chatbox.scene import Scene
from wolf_chatbox.talk.group import addressed, choose, in_turn, mentioned
from wolf_chatbox.talk.session import ChatSession

laws = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
CAST = {"Rick": 5, "Morty": 4, "Beth": 2, "Jerry the Guest": 1}


def group(tokenizer: Any, *replies: str, invited: tuple[str, ...] = ("Beth",), **settings: Any) -> ChatSession:
    session = talk(tokenizer, *replies, speakers=CAST, **settings)
    for name in invited:
        session.invite(name)
    return session


def prompt(session: ChatSession) -> str:
    return str(session.voice.renderer.tokenizer.decode(session.voice.engine.prompts[-1]))


def test_the_one_with_the_at_answers(tokenizer: Any) -> None:
    session = group(tokenizer, "hm", invited=("Beth", "Jerry the Guest"))
    session.reply("@beth hello")
    assert session.history == (Turn("Morty", "beth hello"), Turn("Beth", "hm"))
    session.reply("＠Jerry the Guest, and you?")
    assert session.speaking == "Jerry the Guest"
    session.reply("yes", to="rick")
    assert session.speaking == "Rick"
    session.reply("Where is Beth?")
    assert session.speaking == "Beth"
    session.reply("A bethel is a place.")
    assert session.speaking == "Beth", "who spoke last; her name is no part of another word"
    with pytest.raises(ChatError, match="Morty is not in this chat"):
        session.reply("hello", to="Morty")
    session.dismiss("Beth")
    with pytest.raises(ChatError, match="/invite Beth first"):
        session.reply("@Beth hello")
    assert session.history[-1] == Turn("Beth", "hm"), "what could not be sent is not said"


def test_names_are_found_in_what_is_said() -> None:
    assert mentioned("Beth, ask @Rick", ["Beth", "Rick"]) == "Rick"
    assert mentioned("Rick and Beth", ["Beth", "Rick"]) == "Rick"
    assert mentioned("the brick", ["Rick"]) is None
    assert mentioned("リックはどこ？", ["リック"]) == "リック"
    assert mentioned("ＲＩＣＫ", ["Rick"]) == "Rick"
    assert addressed("@Jerry the Guest hi", ["Jerry", "Jerry the Guest"]) == "Jerry the Guest"
    assert addressed("@リック元気?", ["リック"]) == "リック"
    assert addressed("@Ricky", ["Rick"]) is None
    assert addressed("hi @Rick", ["Rick"]) is None


def test_turns_go_round(tokenizer: Any) -> None:
    session = group(tokenizer, "hm", invited=("Beth", "Jerry the Guest"))
    session.next = "turn"
    session.reply("hello")
    for _ in range(3):
        list(session.speak())
    session.reply("and on")
    assert [turn.speaker for turn in session.history] == [
        "Morty",
        "Rick",
        "Beth",
        "Jerry the Guest",
        "Rick",
        "Morty",
        "Beth",
    ]
    assert in_turn(["Ann", "Bob"], ["Eve"]) == "Ann"


def test_the_model_chooses_out_of_what_all_have_heard(tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Scene, tuple[str, ...]]] = []

    def who_speaks(self: Voice, scene: Scene, names: tuple[str, ...]) -> dict[str, float]:
        asked.append((scene, names))
        return {name: float(name == "Beth") for name in names}

    monkeypatch.setattr(Voice, "who_speaks", who_speaks, raising=False)
    session = group(tokenizer, "hm", invited=("Beth", "Jerry the Guest"))
    session.next = "model"
    list(session.whisper("Rick", "the goose is stolen"))
    session.reply("hello")
    assert session.speaking == "Beth"
    assert asked == [(Scene((Turn("Morty", "hello"),)), ("Rick", "Beth", "Jerry the Guest"))]
    list(session.speak())
    assert asked[-1][1] == ("Rick", "Jerry the Guest"), "who spoke last does not go on"


def test_a_chance_is_a_share() -> None:
    chances = {"Ann": 1.0, "Bob": 3.0}
    assert [choose(chances, at) for at in (0, 0.24, 0.26, 0.99)] == ["Ann", "Ann", "Bob", "Bob"]
    assert choose({"Ann": 0.0, "Bob": 0.0}, 0.5) == "Bob"


def test_who_comes_later_has_not_heard_what_was_said_before(tokenizer: Any) -> None:
    session = group(tokenizer, "hm", invited=())
    session.reply("one")
    session.invite("Beth")
    session.reply("@Beth two")
    assert prompt(session) == "Morty: Beth two<|endoftext|>Beth:"
    session.dismiss("Beth")
    session.reply("three")
    session.invite("beth")
    list(session.speak("Beth"))
    assert prompt(session) == "Morty: Beth two<|endoftext|>Beth: hm<|endoftext|>Beth:"
    session.reply("four", to="Rick")
    assert prompt(session).startswith("Morty: one<|endoftext|>Rick: hm<|endoftext|>Morty: Beth two<|endoftext|>")


def test_a_whisper_and_its_answer_are_heard_by_two(tokenizer: Any) -> None:
    session = group(tokenizer, "a", "b", "c", "d", "e")
    list(session.whisper("beth", "psst"))
    assert session.speaking == "Beth"
    list(session.retry())
    session.reply("hello", to="Rick")
    assert prompt(session) == "Morty: hello<|endoftext|>Rick:"
    list(session.speak("Beth"))
    assert prompt(session) == (
        "Morty: psst<|endoftext|>Beth: b<|endoftext|>Morty: hello<|endoftext|>Rick: c<|endoftext|>Beth:"
    )
    assert session.tree.last is not None
    assert session.tree.last.heard == {"Morty", "Rick", "Beth"}, "what she says next is for all"
    heard = [turn.heard for turn in session.tree.conversation().turns]
    assert heard == [("Morty", "Beth"), ("Morty", "Beth"), (), (), ()]


said = st.sampled_from(["hello", "the goose", "a stew, please", "who is there?"])
present = st.sampled_from(["Rick", "Beth", "Jerry the Guest"])
actions = st.lists(
    st.one_of(
        st.tuples(st.just("say"), present, said),
        st.tuples(st.just("whisper"), present, said),
        st.tuples(st.sampled_from(["invite", "dismiss", "speak", "retry", "back", "edit"]), present, said),
    ),
    min_size=1,
    max_size=12,
)


def act(session: ChatSession, what: str, name: str, text: str) -> None:
    """One thing that a person may do; what cannot be done is left."""
    try:
        match what:
            case "say":
                session.reply(text, to=name)
            case "whisper":
                list(session.whisper(name, text))
            case "invite":
                session.invite(name)
            case "dismiss":
                session.dismiss(name)
            case "speak":
                list(session.speak(name))
            case "retry":
                list(session.retry())
            case "back":
                session.back()
            case "edit":
                session.edit(session.tree.at, text)
    except ChatError:
        pass


@laws
@given(actions, present)
def test_nothing_that_a_speaker_has_not_heard_reaches_its_prompt(tokenizer: Any, what: Any, name: str) -> None:
    session = group(tokenizer, "hm", "so it is", "no")
    for one in what:
        act(session, *one)
    if name not in session.present:
        session.invite(name)

    def asked() -> list[int]:
        list(session.speak(name))
        ids = session.voice.engine.prompts[-1]
        session.back()
        return ids

    before, tree = asked(), session.tree
    changed = tuple(
        message if name in message.heard else message._replace(text="SECRET", speaker="Rick")
        for message in tree.messages
    )
    session.tree = type(tree)(changed, tree.at, tree.taken)
    assert asked() == before
    assert "SECRET" not in prompt(session)


@laws
@given(actions)
def test_a_saved_group_is_as_it_was(tokenizer: Any, tmp_path: Path, what: Any) -> None:
    session = group(tokenizer, "hm", "so it is", "no")
    for one in what:
        act(session, *one)
    session.save(tmp_path / "chat.jsonl", overwrite=True)
    other = group(tokenizer, "hm")
    if len(session.present) > 1 and "Rick" in session.present:
        other.load_history(tmp_path / "chat.jsonl")
        assert (other.tree.messages, other.tree.at) == (session.tree.messages, session.tree.at)
        assert other.present == session.present
    form = json.loads((tmp_path / "chat.jsonl").read_text())
    assert [(turn["speaker"], turn["text"]) for turn in form["turns"]] == [turn[:2] for turn in session.history]


def test_another_persona_takes_the_place_and_what_was_heard_there(tokenizer: Any) -> None:
    session = group(tokenizer, "hm", invited=("Jerry the Guest",))
    session.reply("hello", to="Rick")
    session.become("Beth")
    assert session.present == ("Beth", "Jerry the Guest")
    list(session.speak("Beth"))
    assert prompt(session) == "Morty: hello<|endoftext|>Rick: hm<|endoftext|>Beth:"
    session.become("Jerry the Guest")
    assert session.present == ("Beth", "Jerry the Guest")


def test_who_cannot_come_or_go(tokenizer: Any) -> None:
    session = group(tokenizer, "hm", invited=())
    with pytest.raises(ChatError, match="only Rick is left"):
        session.dismiss("rick")
    for name in ("Rick", "morty"):
        with pytest.raises(ChatError, match="in this chat already"):
            session.invite(name)
    with pytest.raises(DataError, match="Did you mean Beth"):
        session.invite("Bet")
    with pytest.raises(ChatError, match="Jerry is not in this chat"):
        session.dismiss("Jerry")
    with pytest.raises(ChatError, match=r"answers only as Rick\. Train with --style named"):
        talk(tokenizer, "hm", style="dialogpt").invite("Beth")
    session.invite("Beth")
    session.dismiss("Rick")
    assert (session.persona, session.present) == ("Beth", ("Beth",))


def test_the_model_writes_the_persons_turn_and_says_nothing_by_it(tokenizer: Any) -> None:
    session = group(tokenizer, "hm", "let us go")
    list(session.whisper("Beth", "psst"))
    before = session.tree
    assert "".join(session.impersonate()) == "let us go"
    assert prompt(session) == "Morty: psst<|endoftext|>Beth: hm<|endoftext|>Morty:"
    assert session.tree is before


def test_a_chat_that_was_heard_in_part_is_trained_on_as_each_heard_it(tokenizer: Any, tmp_path: Path) -> None:
    from wolf_chatbox.importers import read_conversations

    session = group(tokenizer, "hm", "so it is", "no")
    list(session.whisper("Beth", "psst"))
    session.reply("hello", to="Rick")
    session.save(tmp_path / "chat.jsonl")
    [conversation] = read_conversations([str(tmp_path / "chat.jsonl")])
    scenes = {scene.speaker: scene for scene in Scene.each(conversation, ["Morty", "Rick", "Beth"])}
    assert [turn.text for turn in scenes["Rick"].turns] == ["hello", "so it is"]
    assert [turn.text for turn in scenes["Beth"].turns] == ["psst", "hm", "hello", "so it is"]
    assert [turn.text for turn in scenes["Morty"].turns] == ["psst", "hm", "hello", "so it is"]
    renderer = session.voice.renderer
    rendered = renderer.render(list(scenes.values()), 64, 8, len(conversation.turns))
    assert (rendered.learnt, rendered.context, rendered.unused) == (4, 0, 0)
    [sample] = renderer.render([scenes["Rick"]], 64, 8, len(conversation.turns)).samples
    assert tokenizer.decode(sample.ids) == "Morty: hello<|endoftext|>Rick: so it is<|endoftext|>"


def test_a_real_model_chooses_who_speaks_and_the_seed_decides(tiny_gpt2: Path, tokenizer: Any) -> None:
    from wolf_chatbox.config import SamplingConfig
    from wolf_chatbox.model import engines
    from wolf_chatbox.samples.rendering import make_renderer

    renderer = make_renderer(tokenizer, "named", "Rick", "Morty", CAST)
    voice = Voice(engines.load(tiny_gpt2, engine="torch").engine, renderer, CAST)

    def speakers(seed: int) -> list[str]:
        sampling = SamplingConfig(max_new_tokens=3)
        session = ChatSession(voice, persona="Rick", user="Morty", sampling=sampling, seed=seed, next="model")
        for name in ("Beth", "Jerry the Guest"):
            session.invite(name)
        found = []
        for _ in range(12):
            session.reply("hello")
            found.append(session.speaking)
        return found

    assert speakers(1) == speakers(1)
    assert len(set(speakers(1) + speakers(2))) > 1


def test_who_was_there_alone_at_the_end_learns_nothing_by_loading(tokenizer: Any, tmp_path: Path) -> None:
    session = group(tokenizer, "hm", "so it is")
    list(session.whisper("Beth", "psst"))
    session.dismiss("Beth")
    session.reply("hello")
    session.save(tmp_path / "chat.jsonl")
    for name, knows in (("Rick", False), ("Jerry the Guest", True)):
        other = talk(tokenizer, "hm", persona=name, speakers=CAST)
        other.load_history(tmp_path / "chat.jsonl")
        other.reply("and now?")
        assert ("psst" in prompt(other)) is knows
