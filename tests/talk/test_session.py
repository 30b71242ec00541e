from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scripted import talk
from wolf_chatbox.config import ChatConfig, SamplingConfig
from wolf_chatbox.conversation import Turn
from wolf_chatbox.errors import ChatError, CheckpointError, DataError, ModelError
from wolf_chatbox.model.voice import Voice
from wolf_chatbox.talk.session import ChatSession

laws = settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_pieces_join_to_the_reply_that_the_history_keeps(tokenizer: Any) -> None:
    session = talk(
        tokenizer, "Wubba lubba, the stew is hot.\nEat it: now. It costs: two coppers, and more than that too."
    )
    pieces = list(session.stream(" What is this? "))
    assert len(pieces) > 5
    assert session.history == (Turn("Morty", "What is this?"), Turn("Rick", "".join(pieces)))
    assert (
        "".join(pieces) == "Wubba lubba, the stew is hot.\nEat it: now. It costs: two coppers, and more than that too."
    )


def test_a_question_stays_asked_when_it_is_stopped_before_the_first_piece(
    tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = talk(tokenizer, "Hm.")

    def stopped(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Voice, "answer", stopped)
    with pytest.raises(KeyboardInterrupt):
        list(session.stream("What is this?"))
    assert session.history == (Turn("Morty", "What is this?"),)


@laws
@given(
    st.sampled_from(["Morty", "Beth", "Rick", "Jerry the Guest"]),
    st.sampled_from(["\n", "\n\n", "\n  ", "\n\n\n "]),
    st.sampled_from([":", " :", "："]),
)
def test_a_reply_never_runs_on_into_another_line(tokenizer: Any, speaker: str, gap: str, colon: str) -> None:
    session = talk(tokenizer, f"I say so.{gap}{speaker}{colon} and I say that", user="Jerry the Guest")
    pieces = list(session.stream("hello"))
    assert "".join(pieces) == "I say so."


@laws
@given(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=30)
    .map(str.strip)
    .filter(bool)
)
def test_no_half_character_is_ever_shown(tokenizer: Any, text: str) -> None:
    text = f"{text}月の🐺です" if "\ufffd" not in text else "🐺"
    session = talk(tokenizer, text)
    pieces = list(session.stream("hello"))
    assert not any("\ufffd" in piece for piece in pieces)
    assert "".join(pieces) == text


def test_a_reply_that_is_stopped_keeps_what_was_said(tokenizer: Any) -> None:
    session = talk(tokenizer, "a long and winding reply about the goose")
    pieces = session.stream("hello")
    said = next(pieces) + next(pieces)
    pieces.close()
    assert session.history == (Turn("Morty", "hello"), Turn("Rick", said.strip()))


def test_a_reply_that_is_cut_says_so_and_goes_on(tokenizer: Any) -> None:
    text = "a long and winding reply about the goose in the house"
    session = talk(tokenizer, text, sampling=SamplingConfig(max_new_tokens=8))
    assert not session.cut
    pieces = [session.reply("hello")]
    while session.cut:
        assert len(pieces) < 20
        pieces.append("".join(session.more()))
        assert session.history == (Turn("Morty", "hello"), Turn("Rick", "".join(pieces))), (
            "it stays one turn, without a mark"
        )
    assert len(pieces) > 2
    assert session.history[-1].text == text
    assert list(session.more()) == [], "it was whole"
    assert session.history[-1].text == text
    session.undo()
    assert not session.cut
    with pytest.raises(ChatError, match="no reply of Rick"):
        session.more()


def test_a_reply_of_a_saved_chat_goes_on(tokenizer: Any, tmp_path: Path) -> None:
    session = talk(tokenizer, "a long and winding reply about the goose", sampling=SamplingConfig(max_new_tokens=8))
    begun = session.reply("hello")
    session.save(tmp_path / "chat.jsonl")
    session.load_history(tmp_path / "chat.jsonl")
    assert not session.cut, "a file does not tell"
    added = "".join(session.more())
    assert session.history == (Turn("Morty", "hello"), Turn("Rick", begun + added))
    assert len(added) > 3


def test_a_reply_that_fills_the_context_cannot_go_on(tokenizer: Any) -> None:
    session = talk(tokenizer, "goose " * 300, sampling=SamplingConfig(max_new_tokens=60), context=128)
    session.reply("hello")
    with pytest.raises(ChatError, match="fills the model's context"):
        [list(session.more()) for _ in range(10)]
    assert len(session.history) == 2


def test_a_model_without_numbers_is_one_line_and_the_chat_goes_on(tiny_gpt2: Path) -> None:
    session = ChatSession.load(tiny_gpt2, sampling=SamplingConfig(max_new_tokens=4), seed=1, engine="torch")
    norm = session.voice.engine.decoder.model.transformer.ln_f.bias
    whole = norm.detach().clone()
    for bad in (float("nan"), float("inf")):
        norm.data.fill_(bad)
        for temperature in (0.0, 0.7):
            session.sampling = session.sampling.changed(temperature=temperature)
            with pytest.raises(ModelError, match="logits are NaN") as caught:
                session.reply("hello")
            assert "\n" not in str(caught.value)
    norm.data.copy_(whole)
    assert session.reply("hello")


def test_bytes_that_are_no_text_are_refused(tokenizer: Any, tmp_path: Path) -> None:
    session = talk(tokenizer, "hm")
    with pytest.raises(ChatError, match="not valid text"):
        session.stream(b"caf\xe9".decode(errors="surrogateescape"))
    assert session.history == ()
    (tmp_path / "half.jsonl").write_text('{"group": "", "turns": [{"speaker": "Rick", "text": "\\ud83d"}]}')
    with pytest.raises(ChatError, match="not a saved chat"):
        session.load_history(tmp_path / "half.jsonl")


def test_a_chat_holds_no_more_after_many_turns_than_after_few(tiny_gpt2: Path) -> None:
    import gc

    import torch

    session = ChatSession.load(tiny_gpt2, sampling=SamplingConfig(max_new_tokens=4), seed=1)

    def tensors() -> int:
        gc.collect()
        return sum(issubclass(type(value), torch.Tensor) for value in gc.get_objects())

    def say(turns: int) -> None:
        for number in range(turns):
            session.reply("hello" + " goose" * (number % 9))

    say(30)  # until old turns have left a few times, and every slot was used
    few = tensors()
    say(30)
    assert tensors() == few


def test_undo_retry_and_reset(tokenizer: Any) -> None:
    session = talk(tokenizer, "one", "two", "three", "four")
    for command in (session.undo, lambda: list(session.retry())):
        with pytest.raises(ChatError, match="no message yet"):
            command()
    session.reply("first")
    session.reply("second")
    assert "".join(session.retry()) == "three"
    assert [turn.text for turn in session.history] == ["first", "one", "second", "three"]
    assert session.undo() == Turn("Morty", "second")
    assert [turn.text for turn in session.history] == ["first", "one"]
    session.reset()
    assert session.history == ()


def test_save_and_load(tokenizer: Any, tmp_path: Path) -> None:
    session = talk(tokenizer, "growl, pup 🐺")
    session.reply("やあ")
    session.save(tmp_path / "chat.jsonl")
    other = talk(tokenizer, "x")
    other.load_history(tmp_path / "chat.jsonl")
    with pytest.raises(CheckpointError, match="already exists"):
        other.save(tmp_path / "chat.jsonl")
    (tmp_path / "chat.jsonl").chmod(0o644)
    other.save(tmp_path / "chat.jsonl", overwrite=True)
    assert (tmp_path / "chat.jsonl").stat().st_mode & 0o777 == 0o600
    assert other.history == session.history
    (tmp_path / "bad.jsonl").write_text("{broken")
    for bad in ("bad.jsonl", "none.jsonl"):
        with pytest.raises(ChatError, match=bad):
            other.load_history(tmp_path / bad)
    assert other.history == session.history
    with pytest.raises(CheckpointError, match="nowhere"):
        session.save(tmp_path / "nowhere" / "chat.jsonl")


def test_another_persona_answers(tokenizer: Any) -> None:
    session = talk(tokenizer, "hm")
    session.become("beth")
    session.reply("hello")
    assert tokenizer.decode(session.voice.engine.prompts[-1]) == "Morty: hello<|endoftext|>Beth:"
    session.become("Morty")
    assert (session.persona, session.user) == ("Morty", "Beth")
    with pytest.raises(DataError, match="Did you mean Rick"):
        session.become("Rik")
    with pytest.raises(ChatError, match="answers only as Rick"):
        talk(tokenizer, "hm", style="dialogpt").become("Beth")


def test_a_history_far_beyond_the_context_never_crashes(tokenizer: Any) -> None:
    session = talk(tokenizer, "the goose is in the house", sampling=SamplingConfig(max_new_tokens=40))
    for number in range(60):
        session.reply(f"message number {number} of many")
        prompt = session.voice.engine.prompts[-1]
        assert len(prompt) <= 256 - 40
        text = tokenizer.decode(prompt)
        assert text.startswith(("Morty: message", "Rick: the goose"))
        assert text.endswith(f"Morty: message number {number} of many<|endoftext|>Rick:")
    assert len(session.history) == 120, "trimming the prompt forgets nothing"


def test_the_history_is_measured_by_the_rows_of_the_training(tokenizer: Any) -> None:
    session = talk(tokenizer, "hm", history_tokens=60)
    for number in range(20):
        session.reply(f"message number {number}")
        assert len(session.voice.engine.prompts[-1]) <= 60
    long = "goose " * 20
    session.reply(long)
    assert long.strip() in tokenizer.decode(session.voice.engine.prompts[-1]), (
        "a long message still fits into the context"
    )


def test_a_message_of_100_000_characters_gets_one_line(tokenizer: Any) -> None:
    session = talk(tokenizer, "hm")
    session.reply("hello")
    before = session.history
    for message, words in (("goose " * 17_000, "the message has"), ("  \n", "message is empty")):
        with pytest.raises(ChatError, match=words) as caught:
            session.reply(message)
        assert "\n" not in str(caught.value)
        assert session.history == before


def test_a_mark_in_a_message_is_text(tokenizer: Any) -> None:
    session = talk(tokenizer, "hm")
    session.reply("I type <|endoftext|> here")
    assert session.voice.engine.prompts[-1].count(tokenizer.eos_token_id) == 1


def write_run(folder: Path, **changes: Any) -> None:
    run = {
        "style": "named",
        "persona": None,
        "user": "Bob",
        "max_tokens": 64,
        "finished": True,
        "data": {"speakers": {"Ann": 9, "Bob": 8, "Eve": 1}},
    }
    (folder / "run.json").write_text(json.dumps(run | changes))


@pytest.fixture
def trained(tiny_gpt2: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "trained"
    folder.mkdir()
    for path in tiny_gpt2.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    write_run(folder)
    return folder


def test_a_trained_folder_tells_who_talks(trained: Path) -> None:
    session = ChatSession.load(trained, seed=1)
    assert (session.persona, session.user, session.voice.renderer.style.name) == ("Ann", "Bob", "named")
    assert session.reply("hello") == ChatSession.load(trained, seed=1).reply("hello")
    assert ChatSession.load(trained, persona="eve").persona == "Eve"
    with pytest.raises(DataError, match="Did you mean Eve"):
        ChatSession.load(trained, persona="Evy")
    write_run(trained, persona="Eve", user="Ann")
    assert ChatSession.load(trained).persona == "Eve"
    assert ChatSession.load(trained, user="Zoe").user == "Zoe"


def test_any_base_model_can_be_talked_with(tiny_gpt2: Path, tiny_llama: Path, tmp_path: Path) -> None:
    assert ChatSession.load(tiny_gpt2).voice.renderer.style.name == "dialogpt"
    session = ChatSession.load(tiny_llama, sampling=SamplingConfig(max_new_tokens=3))
    assert session.voice.renderer.style.name == "chat"
    session.reply("hello")
    assert session.history[0] == Turn("user", "hello")
    with pytest.raises(ModelError, match="nowhere"):
        ChatSession.load(tmp_path / "nowhere")


def test_a_damaged_record_is_one_line(trained: Path) -> None:
    (trained / "run.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"run\.json: damaged"):
        ChatSession.load(trained)


def test_the_saved_sampling_is_used_and_overridden(trained: Path) -> None:
    generation = trained / "generation_config.json"
    saved = {
        "do_sample": True,
        "max_new_tokens": 9,
        "top_k": 5,
        "top_p": 0.5,
        "temperature": 0.3,
        "no_repeat_ngram_size": 0,
    }
    generation.write_text(json.dumps(saved))
    session = ChatSession.load(trained)
    assert session.sampling == SamplingConfig(
        max_new_tokens=9, top_k=5, top_p=0.5, temperature=0.3, no_repeat_ngram_size=0
    )
    assert ChatConfig(temperature=0.0, top_k=0).sampling(session.sampling) == session.sampling.changed(
        temperature=0.0, top_k=0
    )
    generation.write_text(json.dumps({"do_sample": False, "max_new_tokens": 9}))
    assert ChatSession.load(trained).sampling.temperature == 0


def test_a_model_of_one_voice_refuses_another(tiny_llama: Path, tmp_path: Path) -> None:
    folder = tmp_path / "one-voice"
    folder.mkdir()
    for path in tiny_llama.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    write_run(folder, style="chat", persona="Ann")
    assert ChatSession.load(folder, persona="ann").persona == "Ann"
    with pytest.raises(ChatError, match="answers only as Ann"):
        ChatSession.load(folder, persona="Eve")
