"""Limits: who waits, who is turned away, what a client that leaves gives back, and whom the server answers at all."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from conftest import make_gpt2
from serving import asked, calls, events, held, make_served, post, running
from wolf_chatbox.talk.server.gate import Gate
from wolf_chatbox.talk.server.house import House, Limits
from wolf_chatbox.talk.server.refusals import Refusal
from wolf_chatbox.talk.server.roster import Served

CHAT = "/v1/chat/completions"
KEY = "0123456789abcdef"


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.005)


async def soon(true: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came true"
        await asyncio.sleep(0.005)


def open_streams(served: Served) -> int:
    return sum(not text.done for text in served.character.voice.engine._open)


def figures(text: str) -> dict[str, float]:
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def test_the_gate_is_first_come_first_served() -> None:
    async def main() -> None:
        gate, order = Gate(2, 3), list[str]()

        async def pass_through(name: str, places: int) -> None:
            await gate.enter(places, 60)
            order.append(name)

        await gate.enter(2, 60)
        tasks = [asyncio.create_task(pass_through(*one)) for one in (("two", 2), ("one", 1), ("other", 1))]
        await soon(lambda: gate.waiting == 3)
        with pytest.raises(Refusal) as full:
            await gate.enter(1, 60)
        assert (full.value.status, full.value.headers) == (429, {"Retry-After": "2"})
        gate.leave()
        await asyncio.sleep(0)
        assert order == [], "one place is free; who needs two was first, and is not overtaken"
        gate.leave()
        await soon(lambda: order == ["two"])
        tasks[1].cancel()
        await asyncio.sleep(0)
        gate.leave(2)
        await soon(lambda: order == ["two", "other"])
        assert (gate.running, gate.waiting) == (1, 0)
        gate.leave()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert gate.running == 0

    asyncio.run(main())


def test_waiting_ends() -> None:
    async def main() -> None:
        gate = Gate(1, 1)
        await gate.enter(1, 60)
        with pytest.raises(Refusal, match=r"no place became free in 0\.01 seconds"):
            await gate.enter(1, 0.01)
        assert (gate.running, gate.waiting) == (1, 0)
        gate.close()
        with pytest.raises(Refusal) as closed:
            await gate.enter(1, 60)
        assert (closed.value.status, "Retry-After" in closed.value.headers) == (503, True)

    asyncio.run(main())


def test_a_full_queue_answers_429_and_nobody_who_waits_is_lost(tokenizer: Any) -> None:
    served = make_served(tokenizer, slots=2, queue=3)

    async def work(client: httpx.AsyncClient, house: House) -> None:
        held(served).clear()
        taken = [asyncio.create_task(client.post(CHAT, json=asked(seed=at))) for at in range(5)]
        await soon(lambda: (served.gate.running, served.gate.waiting) == (2, 3))
        refused = await client.post(CHAT, json=asked())
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "2")
        assert refused.json()["error"]["type"] == "rate_limit_error"
        shown = figures((await client.get("/metrics")).text)
        assert shown['wolf_chatbox_running{model="run"}'] == 2
        assert shown['wolf_chatbox_waiting{model="run"}'] == 3
        held(served).set()
        assert [response.status_code for response in await asyncio.gather(*taken)] == [200] * 5
        await soon(lambda: served.gate.running == 0)
        shown = figures((await client.get("/metrics")).text)
        assert shown[f'wolf_chatbox_requests_total{{path="{CHAT}",status="200"}}'] == 5
        assert shown[f'wolf_chatbox_requests_total{{path="{CHAT}",status="429"}}'] == 1
        assert shown["wolf_chatbox_reply_seconds_count"] == 5

    calls([served], work)


def test_many_clients_at_once_all_get_what_each_gets_alone(tokenizer: Any) -> None:
    served = make_served(tokenizer, slots=4, queue=64)

    async def work(client: httpx.AsyncClient, house: House) -> None:
        async def said(at: int) -> str:
            body = asked(f"Question {at}?", seed=at, stream=bool(at % 2))
            response = await client.post(CHAT, json=body)
            assert response.status_code == 200
            if not at % 2:
                text: str = response.json()["choices"][0]["message"]["content"]
                return text
            chunks = [json.loads(chunk) for chunk in events(response.text)[:-1]]
            return "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)

        together = await asyncio.gather(*(said(at) for at in range(40)))
        assert together == [await said(at) for at in range(40)]
        assert (served.gate.running, served.gate.waiting, len(house.open)) == (0, 0, 0)

    calls([served], work)


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_frees_its_slot_at_once(tokenizer: Any, stream: bool) -> None:
    model = make_gpt2(len(tokenizer), context=4096)
    served = make_served(tokenizer, slots=1, queue=1, model=model, endless=True)
    limits = Limits(reply_tokens=4000)
    body = asked(max_tokens=4000, stream=stream, seed=1)
    with running([served], limits) as (url, house), httpx.Client(base_url=url, timeout=60) as client:
        if stream:
            with client.stream("POST", CHAT, json=body) as response:
                next(response.iter_lines())
                assert served.gate.running == 1
                assert open_streams(served) == 1
        else:
            held(served).clear()
            with pytest.raises(httpx.ReadTimeout):
                client.post(CHAT, json=body, timeout=0.2)
            held(served).set()
        until(lambda: served.gate.running == 0 and open_streams(served) == 0 and not house.open)
        assert figures(client.get("/metrics").text)["wolf_chatbox_cancelled_total"] == 1
        assert client.post(CHAT, json=asked(max_tokens=2)).status_code == 200, "the slot is free for the next one"


def test_a_client_that_leaves_the_queue_frees_its_place(tokenizer: Any) -> None:
    served = make_served(tokenizer, slots=1, queue=1)
    with running([served]) as (url, house), httpx.Client(base_url=url, timeout=60) as client:
        held(served).clear()
        with pytest.raises(httpx.ReadTimeout):
            client.post(CHAT, json=asked(), timeout=0.2)
        with pytest.raises(httpx.ReadTimeout):
            client.post(CHAT, json=asked(), timeout=0.2)
        until(lambda: served.gate.waiting == 0)
        held(served).set()
        until(lambda: served.gate.running == 0 and not house.open)


def test_a_reply_ends_when_its_time_is_up(tokenizer: Any) -> None:
    model = make_gpt2(len(tokenizer), context=4096)
    served = make_served(tokenizer, model=model, endless=True)
    body = post(served, CHAT, asked(max_tokens=4000, seed=1), limits=Limits(seconds=0.3, reply_tokens=4000)).json()
    assert body["choices"][0]["finish_reason"] == "length"
    assert body["usage"]["completion_tokens"] < 4000


def test_a_body_that_is_too_large_is_not_read(tokenizer: Any) -> None:
    served = make_served(tokenizer)

    async def work(client: httpx.AsyncClient, house: House) -> None:
        long = asked("x" * 2000)
        told = await client.post(CHAT, json=long)

        async def pieces() -> Any:
            for byte in json.dumps(long).encode():
                yield bytes([byte])

        untold = await client.post(CHAT, content=pieces(), headers={"content-type": "application/json"})
        for response in (told, untold):
            assert (response.status_code, response.json()["error"]["code"]) == (413, "body_too_large")
        assert (await client.post(CHAT, json=asked())).status_code == 200

    calls([served], work, limits=Limits(body_bytes=1000))


def test_keys(tokenizer: Any) -> None:
    served = make_served(tokenizer)

    async def work(client: httpx.AsyncClient, house: House) -> None:
        for sent in ({}, {"authorization": KEY}, {"authorization": f"Bearer {KEY}x"}, {"authorization": "Bearer é"}):
            for path in ("/v1/models", "/metrics", "/api/v1/model", "/openapi.json", "/nothing"):
                response = await client.get(path, headers=[(name, value.encode()) for name, value in sent.items()])
                assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
                assert response.json()["error"]["code"] == "invalid_api_key"
                assert KEY not in response.text
        assert (await client.get("/health")).status_code == 200
        for key in (KEY, "other-key-of-somebody"):
            assert (await client.get("/v1/models", headers={"authorization": f"bearer {key}"})).status_code == 200

    calls([served], work, keys=[KEY, "other-key-of-somebody"])


def test_a_server_on_the_loopback_answers_to_its_own_names_only(tokenizer: Any) -> None:
    served = make_served(tokenizer)

    async def work(client: httpx.AsyncClient, house: House) -> None:
        for host, status in (
            *(("localhost:8000", 200), ("127.0.0.1", 200), ("[::1]:8000", 200), ("LOCALHOST", 200)),
            *(("evil.example", 421), ("localhost.evil.example", 421), ("127.0.0.1.evil.example:80", 421), ("", 421)),
        ):
            assert (await client.get("/v1/models", headers={"host": host})).status_code == status, host

    calls([served], work)

    async def everywhere(client: httpx.AsyncClient, house: House) -> None:
        assert (await client.get("/v1/models", headers={"host": "box.example"})).status_code == 200

    calls([served], everywhere, hosts=None)


def test_pages_of_other_origins_may_ask_only_when_they_are_named(tokenizer: Any) -> None:
    served = make_served(tokenizer)
    page = {"origin": "http://page.example"}
    question = page | {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}

    async def closed(client: httpx.AsyncClient, house: House) -> None:
        response = await client.post(CHAT, json=asked(), headers=page)
        assert (response.status_code, response.json()["error"]["code"]) == (403, "wrong_origin")
        assert "access-control-allow-origin" not in (await client.options(CHAT, headers=question)).headers
        own = await client.post(CHAT, json=asked(), headers={"origin": "http://localhost"})
        assert own.status_code == 200

    calls([served], closed)

    async def opened(client: httpx.AsyncClient, house: House) -> None:
        allowed = await client.options(CHAT, headers=question)
        assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, page["origin"])
        response = await client.post(CHAT, json=asked(), headers=page | {"authorization": f"Bearer {KEY}"})
        assert (response.status_code, response.headers["access-control-allow-origin"]) == (200, page["origin"])
        other = await client.post(CHAT, json=asked(), headers={"origin": "http://other.example"})
        assert other.status_code == 403

    calls([served], opened, origins=["http://page.example"], keys=[KEY])


def test_neither_keys_nor_texts_are_logged(tokenizer: Any, caplog: pytest.LogCaptureFixture, capfd: Any) -> None:
    served = make_served(tokenizer)
    caplog.set_level(0)
    with running([served], keys=[KEY]) as (url, _), httpx.Client(base_url=url, timeout=60) as client:
        headers = {"authorization": f"Bearer {KEY}"}
        caplog.clear()
        assert client.post(CHAT, json=asked("a secret goose"), headers=headers).status_code == 200
        assert client.post(CHAT, json=asked("a secret goose", n=0), headers=headers).status_code == 400
        assert client.post(CHAT, content=b'{"messages": "a secret goose"}', headers=headers).status_code == 400
        shown = caplog.text + "".join(capfd.readouterr()) + client.get("/metrics", headers=headers).text
        assert "secret" not in shown
        assert KEY not in shown


def test_a_failing_model_is_an_error_of_the_server_and_frees_its_slot(tokenizer: Any) -> None:
    import torch

    model = make_gpt2(len(tokenizer))
    served = make_served(tokenizer, model=model, slots=1)
    with torch.no_grad():
        model.transformer.wte.weight.fill_(float("nan"))
    for stream in (False, True):
        response = post(served, CHAT, asked(stream=stream))
        assert response.status_code == 500
        assert response.json()["error"]["type"] == "server_error"
        assert "NaN" in response.json()["error"]["message"]
    assert served.gate.running == 0


def test_a_half_request_and_a_stranger_s_words_do_no_harm(tokenizer: Any) -> None:
    served = make_served(tokenizer)
    with running([served]) as (url, _):
        host, port = url.removeprefix("http://").split(":")
        for words in (
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{",
            b"\x16\x03\x01",
        ):
            with socket.create_connection((host, int(port))) as stranger:
                stranger.sendall(words)
        assert httpx.post(url + CHAT, json=asked(), timeout=60).status_code == 200
