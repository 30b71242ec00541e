"""Chat and text completions: the API says what the voice says, to whom it should, and names what it cannot do."""

from __future__ import annotations

import json
import math
from typing import Any

import httpx
import pytest

from serving import SAMPLING, SPEAKERS, asked, calls, events, make_served, post
from wolf_chatbox.conversation import Turn
from wolf_chatbox.model.voice import Reply
from wolf_chatbox.scene import Scene
from wolf_chatbox.talk.server.chat import LEFT_OUT, scene_of
from wolf_chatbox.talk.server.house import House, Limits
from wolf_chatbox.talk.server.roster import Served
from wolf_chatbox.talk.server.schema import Message

CHAT, TEXT = "/v1/chat/completions", "/v1/completions"


@pytest.fixture(scope="module")
def served(tokenizer: Any) -> Served:
    return make_served(tokenizer)


def error(response: httpx.Response) -> dict[str, Any]:
    body: dict[str, Any] = response.json()
    assert set(body) >= {"error"}
    assert set(body["error"]) == {"message", "type", "param", "code"}
    found: dict[str, Any] = body["error"]
    return found


def test_a_reply_is_the_voice_s(served: Served) -> None:
    scene = Scene((Turn("Morty", "Where are we?"),), speaker="Rick")
    reply = served.character.voice.answer(scene, SAMPLING, seed=7)
    text = "".join(reply)
    body = post(served, CHAT, asked(seed=7)).json()
    [choice] = body["choices"]
    assert choice["message"] == {"role": "assistant", "content": text, "refusal": None, "name": "Rick"}
    assert choice["finish_reason"] == ("length" if reply.cut else "stop")
    assert body["object"] == "chat.completion"
    prompt = len(served.character.voice.renderer.prompt(scene, 256))
    drawn = len(reply.ids)
    assert body["usage"] == {"prompt_tokens": prompt, "completion_tokens": drawn, "total_tokens": prompt + drawn}


def test_a_stream_is_the_reply_in_pieces(served: Served) -> None:
    whole = post(served, CHAT, asked(seed=3, n=2)).json()
    response = post(served, CHAT, asked(seed=3, n=2, stream=True, stream_options={"include_usage": True}))
    assert response.headers["content-type"].startswith("text/event-stream")
    *chunks, done = events(response.text)
    assert done == "[DONE]"
    parsed = [json.loads(chunk) for chunk in chunks]
    assert len({chunk["id"] for chunk in parsed}) == 1
    assert parsed[-1]["choices"] == []
    assert parsed[-1]["usage"] == whole["usage"]
    for choice in whole["choices"]:
        deltas = [part for chunk in parsed for part in chunk["choices"] if part["index"] == choice["index"]]
        assert deltas[0]["delta"] == {"role": "assistant", "content": ""}
        assert "".join(part["delta"].get("content", "") for part in deltas) == choice["message"]["content"]
        assert [part["finish_reason"] for part in deltas if part["finish_reason"]] == [choice["finish_reason"]]
        assert deltas[-1]["delta"] == {}


def test_without_usage_a_stream_has_no_chunk_without_choices(served: Served) -> None:
    chunks = events(post(served, CHAT, asked(stream=True)).text)[:-1]
    assert all(len(json.loads(chunk)["choices"]) == 1 for chunk in chunks)


def test_the_seed_and_the_settings_decide_a_reply(served: Served) -> None:
    def said(**more: Any) -> str:
        text: str = post(served, CHAT, asked(**more)).json()["choices"][0]["message"]["content"]
        return text

    assert said(seed=1) == said(seed=1) != said(seed=2)
    assert said(temperature=0, seed=1) == said(temperature=0, seed=2) == said(top_k=1) == said(top_p=0)
    assert len({said() for _ in range(5)}) > 1, "without a seed each reply is drawn anew"


def test_n_replies_have_seeds_of_their_own(served: Served) -> None:
    choices = post(served, CHAT, asked(seed=5, n=3)).json()["choices"]
    assert [choice["index"] for choice in choices] == [0, 1, 2]
    assert len({choice["message"]["content"] for choice in choices}) == 3
    alone = post(served, CHAT, asked(seed=6)).json()["choices"][0]["message"]["content"]
    assert choices[1]["message"]["content"] == alone


@pytest.mark.parametrize("stream", [False, True])
def test_more_replies_than_slots_are_drawn_in_turn(served: Served, stream: bool) -> None:
    response = post(served, CHAT, asked(n=7, seed=0, stream=stream))
    assert response.status_code == 200
    if not stream:
        choices = response.json()["choices"]
        assert [choice["index"] for choice in choices] == list(range(7))
        last = post(served, CHAT, asked(seed=6)).json()["choices"][0]["message"]["content"]
        assert choices[6]["message"]["content"] == last
    assert (served.gate.running, served.gate.waiting) == (0, 0)


def test_max_tokens_end_a_reply(served: Served) -> None:
    for name in ("max_tokens", "max_completion_tokens"):
        body = post(served, CHAT, asked(**{name: 3, "temperature": 0})).json()
        assert body["usage"]["completion_tokens"] == 3
        assert body["choices"][0]["finish_reason"] == "length"
    limited = post(served, CHAT, asked(max_tokens=9, temperature=0), limits=Limits(reply_tokens=2)).json()
    assert limited["usage"]["completion_tokens"] == 2


def test_a_reply_ends_before_a_stop_string(served: Served) -> None:
    text = post(served, CHAT, asked(temperature=0, max_tokens=12)).json()["choices"][0]["message"]["content"]
    stop = text[3:5]
    for given_stop in (stop, [stop], ["\x00 never", stop, ""]):
        for stream in (False, True):
            response = post(served, CHAT, asked(temperature=0, max_tokens=12, stop=given_stop, stream=stream))
            if stream:
                chunks = [json.loads(chunk) for chunk in events(response.text)[:-1]]
                said = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)
                end = chunks[-1]["choices"][0]["finish_reason"]
            else:
                [choice] = response.json()["choices"]
                said, end = choice["message"]["content"], choice["finish_reason"]
            assert (said, end) == (text[: text.index(stop)], "stop")


def test_log_probabilities(served: Served) -> None:
    body = post(served, CHAT, asked(logprobs=True, top_logprobs=3, temperature=0)).json()
    content = body["choices"][0]["logprobs"]["content"]
    assert len(content) == body["usage"]["completion_tokens"]
    for token in content:
        assert len(token["top_logprobs"]) == 3
        likeliest = token["top_logprobs"][0]
        assert math.isclose(token["logprob"], likeliest["logprob"]) or token["logprob"] < likeliest["logprob"]
        assert sum(math.exp(other["logprob"]) for other in token["top_logprobs"]) < 1
        assert bytes(token["bytes"]).decode(errors="replace") == token["token"]
    streamed = events(post(served, CHAT, asked(logprobs=True, top_logprobs=3, temperature=0, stream=True)).text)[:-1]
    parts = [json.loads(chunk)["choices"][0]["logprobs"] for chunk in streamed]
    assert [token for part in parts if part for token in part["content"]] == content
    assert post(served, CHAT, asked()).json()["choices"][0]["logprobs"] is None


def scene(served: Served, persona: str, *messages: dict[str, Any]) -> tuple[Scene, bool]:
    return scene_of([Message(**message) for message in messages], served, persona)


def test_names_and_roles_give_the_speakers(served: Served) -> None:
    found, left_out = scene(
        served,
        "Rick",
        {"role": "user", "content": " Hi.\n"},
        {"role": "assistant", "content": "What?"},
        {"role": "user", "name": "Beth", "content": [{"type": "text", "text": "Dad"}, {"type": "text", "text": "?"}]},
        {"role": "assistant", "name": "Summer", "content": "No."},
        {"role": "assistant", "content": None},
    )
    assert found == Scene(
        (Turn("Morty", "Hi."), Turn("Rick", "What?"), Turn("Beth", "Dad?"), Turn("Summer", "No.")), speaker="Rick"
    )
    assert not left_out
    swapped, _ = scene(served, "Morty", {"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Oh."})
    assert [turn.speaker for turn in swapped.turns] == ["Rick", "Morty"], "nobody talks to himself"


def test_a_style_without_system_turns_leaves_them_out_and_says_so(tokenizer: Any, chat_tokenizer: Any) -> None:
    messages = [{"role": "system", "content": "Be nice."}, {"role": "user", "content": "Hi."}]
    named = post(make_served(tokenizer), CHAT, asked(messages=messages))
    assert named.headers[LEFT_OUT] == "system messages"
    chat = make_served(chat_tokenizer, style="chat")
    assert LEFT_OUT not in post(chat, CHAT, asked(messages=messages)).headers
    found, left_out = scene(chat, "Rick", *messages, {"role": "developer", "content": "Now."})
    assert [turn.speaker for turn in found.turns] == ["system", "Morty", "system"]
    assert not left_out


def test_a_model_is_a_run_or_one_of_its_personas(served: Served, chat_tokenizer: Any) -> None:
    async def work(client: httpx.AsyncClient, house: House) -> None:
        listed = (await client.get("/v1/models")).json()
        assert [model["id"] for model in listed["data"]] == [
            *("run", "run:Rick", "run:Morty", "run:Beth"),
            *("other", "other:Rick"),
        ]
        assert (await client.get("/v1/models/run:Beth")).json()["name"] == "Beth"
        for model, name in (("run", "Rick"), ("run:morty", "Morty"), (None, "Rick"), ("other:Rick", "Rick")):
            body = (await client.post(CHAT, json=asked(model=model))).json()
            assert body["choices"][0]["message"]["name"] == name
        for model, words in (
            ("gpt-4", "there is no model gpt-4. The models are run, other."),
            ("run:Bety", "there is no model run:Bety."),
            ("other:Morty", "answers only as Rick"),
        ):
            response = await client.post(CHAT, json=asked(model=model))
            assert response.status_code == 404
            assert words in error(response)["message"]
            assert error(response)["code"] == "model_not_found"

    calls([served, make_served(chat_tokenizer, "other", style="chat")], work)


def test_a_persona_speaks_as_itself(served: Served) -> None:
    said = {
        name: post(served, CHAT, asked(model=f"run:{name}", temperature=0)).json()["choices"][0]["message"]["content"]
        for name in SPEAKERS
    }
    for name, text in said.items():
        turns = (Turn("Morty" if name != "Morty" else "Rick", "Where are we?"),)
        reply = served.character.voice.answer(Scene(turns, speaker=name), SAMPLING.changed(temperature=0))
        assert "".join(reply) == text


def test_the_last_message_is_continued_when_asked(served: Served) -> None:
    messages = [*asked()["messages"], {"role": "assistant", "content": "We are in the"}]
    scene = Scene((Turn("Morty", "Where are we?"),), speaker="Rick")
    expected = "".join(served.character.voice.answer(scene, SAMPLING, seed=4, begun=Reply("We are in the")))
    body = post(served, CHAT, asked(seed=4, messages=messages, continue_final_message=True)).json()
    assert body["choices"][0]["message"]["content"] == expected
    assert post(served, CHAT, asked(seed=4, messages=messages)).json()["choices"][0]["message"]["content"] != expected


def test_a_message_that_does_not_fit_is_refused_and_a_long_history_is_not(served: Served) -> None:
    response = post(served, CHAT, asked("long " * 300))
    assert (response.status_code, error(response)["code"]) == (400, "context_length_exceeded")
    streamed = post(served, CHAT, asked("long " * 300, stream=True))
    assert (streamed.status_code, error(streamed)["code"]) == (400, "context_length_exceeded")
    history = [{"role": role, "content": f"Turn {at}."} for at in range(300) for role in ("user", "assistant")]
    body = post(served, CHAT, asked(messages=history)).json()
    assert body["usage"]["prompt_tokens"] < 256
    limited = post(served, CHAT, asked(messages=history), limits=Limits(prompt_tokens=40)).json()
    assert limited["usage"]["prompt_tokens"] <= 40


@pytest.mark.parametrize(
    ("more", "param", "words"),
    [
        ({"messages": []}, "messages", "at least 1 item"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role", "'user'"),
        ({"messages": [{"role": "user", "content": 3}]}, "messages.0.content", "string"),
        ({"temperature": "hot"}, "temperature", "valid number"),
        ({"temperature": -1}, "temperature", "greater than or equal to 0"),
        ({"frequency_penalty": 0.5}, "frequency_penalty", "it must be 0 here; use repetition_penalty."),
        ({"presence_penalty": 1}, "presence_penalty", "it must be 0 here; use repetition_penalty."),
        ({"logit_bias": {"5": 1}}, "logit_bias", "it must be empty here."),
        ({"tools": [{"type": "function"}]}, "tools", "there are no tools here; leave it out."),
        ({"response_format": {"type": "json_object"}}, "response_format", "only text comes out here; leave it out."),
        ({"max_tokens": 0}, "max_tokens", "greater than or equal to 1"),
        ({"top_logprobs": 21}, "top_logprobs", "less than or equal to 20"),
    ],
)
def test_what_cannot_be_done_is_named(served: Served, more: dict[str, Any], param: str, words: str) -> None:
    response = post(served, CHAT, asked(**more))
    found = error(response)
    assert response.status_code == 400
    assert str(found["param"]).startswith(param)
    assert words in found["message"]
    assert "\n" not in found["message"]
    assert found["type"] == "invalid_request_error"


def test_unknown_fields_and_values_that_change_nothing_are_taken(served: Served) -> None:
    more = {
        **{"user": "somebody", "metadata": {"a": 1}, "store": False, "reasoning_effort": "low", "chat_id": "x"},
        **{"frequency_penalty": 0, "presence_penalty": 0.0, "logit_bias": {}, "tools": [], "top_k": -1, "seed": -1},
        **{"response_format": {"type": "text"}, "stop": [], "stream": None, "max_tokens": 4.0, "n": 1},
    }
    assert post(served, CHAT, asked(**more)).status_code == 200


def test_bad_bodies_and_paths_have_the_same_form(served: Served) -> None:
    async def work(client: httpx.AsyncClient, house: House) -> None:
        json_type = {"content-type": "application/json"}
        for content in (
            b"{",
            b"",
            b"[" * 100_000,
            b'"\xff"',
            b'{"messages": [{"role": "user", "content": "\\ud800"}]}',
        ):
            response = await client.post(CHAT, content=content, headers=json_type)
            assert (response.status_code, error(response)["type"]) == (400, "invalid_request_error"), content[:20]
        plain = await client.post(CHAT, content=json.dumps(asked()), headers={"content-type": "text/plain"})
        assert plain.status_code == 400, "a page of another site could send this without being asked"
        lost = await client.get("/v1/nothing")
        assert (lost.status_code, error(lost)["message"]) == (404, "no such path: /v1/nothing.")
        wrong = await client.get(CHAT)
        assert (wrong.status_code, error(wrong)["message"]) == (405, "GET is not allowed here.")
        assert wrong.headers["allow"] == "POST"

    calls([served], work)


def test_raw_text_goes_on(served: Served) -> None:
    engine, tokenizer = served.character.voice.engine, served.character.voice.renderer.tokenizer
    prompt = tokenizer("Rick: the goose").input_ids
    greedy = SAMPLING.changed(temperature=0)
    ids = [token.id for token in engine.stream(prompt, greedy, {0})]
    expected = tokenizer.decode(prompt + ids).removeprefix("Rick: the goose").rstrip("\ufffd")
    body = post(served, TEXT, {"model": "run", "prompt": "Rick: the goose", "temperature": 0}).json()
    [choice] = body["choices"]
    assert (choice["text"], body["object"]) == (expected, "text_completion")
    assert body["usage"]["prompt_tokens"] == len(prompt)
    for other in ([prompt], prompt):
        if other is prompt:
            assert post(served, TEXT, {"prompt": other, "temperature": 0}).json()["choices"][0]["text"] == expected
    echoed = post(served, TEXT, {"prompt": "Rick: the goose", "temperature": 0, "echo": True, "logprobs": 2}).json()
    [choice] = echoed["choices"]
    assert choice["text"] == "Rick: the goose" + expected
    assert choice["logprobs"]["text_offset"][0] == len("Rick: the goose")
    assert len(choice["logprobs"]["tokens"]) == len(ids)
    response = post(served, TEXT, {"prompt": prompt, "temperature": 0, "stream": True})
    streamed = [json.loads(data) for data in events(response.text)[:-1]]
    assert "".join(chunk["choices"][0]["text"] for chunk in streamed) == expected


def test_several_prompts_have_choices_of_their_own(served: Served) -> None:
    body = post(served, TEXT, {"prompt": ["One", "Two"], "n": 2, "temperature": 0, "max_tokens": 3}).json()
    texts = [choice["text"] for choice in body["choices"]]
    assert [choice["index"] for choice in body["choices"]] == [0, 1, 2, 3]
    assert texts[0] == texts[1]
    assert texts[2] == texts[3]
    assert (
        texts[0]
        == post(served, TEXT, {"prompt": "One", "temperature": 0, "max_tokens": 3}).json()["choices"][0]["text"]
    )


def test_raw_prompts_that_cannot_be_read(served: Served) -> None:
    for prompt, code in (("x " * 300, "context_length_exceeded"), ([10**6], None)):
        response = post(served, TEXT, {"prompt": prompt})
        assert (response.status_code, error(response)["param"], error(response)["code"]) == (400, "prompt", code)
    assert post(served, TEXT, {"prompt": "x " * 30}, limits=Limits(prompt_tokens=16)).status_code == 400
    assert post(served, TEXT, {"prompt": ""}).status_code == 200
