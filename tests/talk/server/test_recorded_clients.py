"""Requests in the form in which programs with a page send them, and what these programs read of the answers.

The forms are those of the sources that each test names; the words and the values are ours.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from test_limits import soon

from serving import asked, calls, events, held, make_served
from wolf_chatbox.talk.server.house import House
from wolf_chatbox.talk.server.roster import Served


@pytest.fixture(scope="module")
def served(tokenizer: Any) -> Served:
    return make_served(tokenizer)


def test_silly_tavern_chat_completion_custom(served: Served) -> None:
    """SillyTavern, src/endpoints/backends/chat-completions.js at 000b092f: the source `custom`.

    /status reads `data` of GET {url}/models; /generate sends these keys (JSON leaves out those that are undefined)
    and passes the stream on, or reads `choices[0].message`.
    """
    body = {
        "messages": [
            {"role": "system", "content": "Write Rick's next reply in a fictional chat between Rick and Morty."},
            {"role": "system", "content": "[Start a new Chat]"},
            {"role": "assistant", "content": "*burps* What now?", "name": "Rick"},
            {"role": "user", "content": "Where are we?", "name": "Morty"},
        ],
        "model": "run",
        "temperature": 1,
        "max_tokens": 30,
        "stream": True,
        "presence_penalty": 0,
        "frequency_penalty": 0,
        "top_p": 1,
        "top_k": 0,
        "stop": [],
        "logit_bias": {},
        "seed": 5,
        "n": 1,
    }

    async def work(client: httpx.AsyncClient, house: House) -> None:
        listed = (await client.get("/v1/models", headers={"authorization": "Bearer "})).json()
        assert isinstance(listed["data"], list)
        assert listed["data"][0]["id"] == "run"
        streamed = await client.post("/v1/chat/completions", json=body)
        *chunks, done = events(streamed.text)
        text = "".join(json.loads(chunk)["choices"][0]["delta"].get("content") or "" for chunk in chunks)
        assert done == "[DONE]"
        whole = (await client.post("/v1/chat/completions", json=body | {"stream": False})).json()
        assert whole["choices"][0]["message"]["content"] == text

    calls([served], work)


def test_silly_tavern_text_completion(served: Served) -> None:
    """SillyTavern, src/endpoints/backends/text-completions.js at 06253f4a: the types ooba, vllm, generic.

    The body goes to {url}/v1/completions as the page made it; the page reads `choices[0].text`.
    """
    body = {
        "prompt": "This is a chat between Rick and Morty.\nMorty: Where are we?\nRick:",
        "model": "run",
        "max_new_tokens": 20,
        "max_tokens": 20,
        "temperature": 0.7,
        "top_p": 0.5,
        "typical_p": 1,
        "typical": 1,
        "sampler_seed": 5,
        "seed": 5,
        "min_p": 0,
        "repetition_penalty": 1.2,
        "frequency_penalty": 0,
        "presence_penalty": 0,
        "top_k": 40,
        "min_length": 0,
        "min_tokens": 0,
        "num_beams": 1,
        "length_penalty": 1,
        "early_stopping": False,
        "add_bos_token": True,
        "dynamic_temperature": False,
        "stopping_strings": ["\nMorty:"],
        "stop": ["\nMorty:", "\nRick:"],
        "truncation_length": 2048,
        "ban_eos_token": False,
        "skip_special_tokens": True,
        "include_reasoning": True,
        "top_a": 0,
        "tfs": 1,
        "mirostat_mode": 0,
        "custom_token_bans": "",
        "sampler_order": [6, 0, 1, 3, 4, 2, 5],
        "grammar_string": "",
        "logprobs": 10,
        "stream": False,
        "api_type": "ooba",
        "api_server": "http://127.0.0.1:8000",
    }

    async def work(client: httpx.AsyncClient, house: House) -> None:
        whole = (await client.post("/v1/completions", json=body)).json()
        [choice] = whole["choices"]
        assert "\nMorty:" not in choice["text"]
        assert len(choice["logprobs"]["top_logprobs"][0]) == 10
        streamed = events((await client.post("/v1/completions", json=body | {"stream": True})).text)
        assert "".join(json.loads(chunk)["choices"][0]["text"] for chunk in streamed[:-1]) == choice["text"]

    calls([served], work)


def test_silly_tavern_kobold(served: Served) -> None:
    """SillyTavern, src/endpoints/backends/kobold.js at 0901c6c0; the URL ends with /api.

    /status reads `result` of two paths and `version` of one; a page streams where the version of KoboldCpp is 1.30 or
    later (public/scripts/kai-settings.js at 024784e0), and reads `results[0].text` or the events' `token`.
    """
    body = {
        "prompt": "Morty: Where are we?\nRick:",
        "use_story": False,
        "use_memory": False,
        "use_authors_note": False,
        "use_world_info": False,
        "max_context_length": 128,
        "max_length": 16,
        "rep_pen": 1.1,
        "rep_pen_range": 600,
        "rep_pen_slope": 0,
        "temperature": 1,
        "tfs": 1,
        "top_a": 0,
        "top_k": 0,
        "top_p": 0.95,
        "min_p": 0,
        "typical": 1,
        "sampler_order": [0, 1, 2, 3, 4, 5, 6],
        "singleline": False,
        "use_default_badwordsids": False,
        "mirostat": 0,
        "mirostat_eta": 0.1,
        "mirostat_tau": 5,
        "grammar": "",
        "sampler_seed": 5,
        "stop_sequence": ["\nMorty:", "\nRick:"],
    }

    async def work(client: httpx.AsyncClient, house: House) -> None:
        assert (await client.get("/api/v1/info/version")).json() == {"result": "1.2.5"}
        version = (await client.get("/api/extra/version")).json()
        assert version["result"] == "KoboldCpp"
        assert [int(part) for part in version["version"].split(".")] >= [1, 30]
        assert (await client.get("/api/v1/model")).json() == {"result": "wolf_chatbox/run"}
        whole = (await client.post("/api/v1/generate", json=body)).json()
        streamed = (await client.post("/api/extra/generate/stream", json=body)).text
        assert streamed.startswith("event: message\ndata: ")
        tokens = [json.loads(event) for event in events(streamed)]
        assert "".join(token["token"] for token in tokens) == whole["results"][0]["text"]
        assert tokens[-1]["finish_reason"] == whole["results"][0]["finish_reason"]
        refused = await client.post("/api/v1/generate", json={"prompt": 3})
        assert refused.json()["detail"]["msg"] == refused.json()["error"]["message"]
        assert (await client.post("/api/extra/abort", headers={"content-type": "application/json"})).json() == {
            "success": False
        }

    calls([served], work)


def test_kobold_lite(served: Served) -> None:
    """KoboldAI Lite as KoboldCpp serves it (after a recorded request): `genkey` names a request.

    It asks for the limits, sends the prompt with every setting, and ends a reply by the key.
    """
    body = {
        "n": 1,
        "max_context_length": 16384,
        "max_length": 12,
        "rep_pen": 1.07,
        "temperature": 0.75,
        "top_p": 0.92,
        "top_k": 100,
        "top_a": 0,
        "typical": 1,
        "tfs": 1,
        "rep_pen_range": 360,
        "rep_pen_slope": 0.7,
        "sampler_order": [6, 0, 1, 3, 4, 2, 5],
        "memory": "",
        "trim_stop": True,
        "genkey": "KCPP1234",
        "min_p": 0,
        "dynatemp_range": 0,
        "banned_tokens": [],
        "render_special": False,
        "logprobs": False,
        "presence_penalty": 0,
        "logit_bias": {},
        "prompt": "\nMorty: Where are we?\nRick:",
        "quiet": True,
        "stop_sequence": ["\nMorty:"],
        "use_default_badwordsids": False,
        "bypass_eos": False,
    }

    async def work(client: httpx.AsyncClient, house: House) -> None:
        assert (await client.get("/api/extra/true_max_context_length")).json() == {"value": 256}
        assert (await client.get("/api/v1/config/max_context_length")).json() == {"value": 256}
        assert (await client.get("/api/v1/config/max_length")).json() == {"value": 1024}
        counted = (await client.post("/api/extra/tokencount", json={"prompt": "the goose"})).json()
        assert counted["value"] == len(counted["ids"]) > 0
        long = (await client.post("/api/v1/generate", json=body | {"prompt": "so long " * 500})).json()
        assert long["results"][0]["prompt_tokens"] == 256 - 12, "the beginning is left out"

        held(served).clear()
        reply = asyncio.create_task(client.post("/api/v1/generate", json=body))
        await soon(lambda: len(house.open) == 1)
        assert (await client.post("/api/extra/abort", json={"genkey": "KCPP9999"})).json() == {"success": False}
        assert (await client.post("/api/extra/abort", json={"genkey": "KCPP1234"})).json() == {"success": True}
        held(served).set()
        response = await reply
        assert response.status_code == 200
        assert response.json()["results"][0]["completion_tokens"] <= 1

    calls([served], work)


def test_open_webui(served: Served) -> None:
    """Open WebUI, backend/open_webui/routers/openai.py at 004a45f5: {url}/models, and the page's request as it is.

    `metadata` is taken off; a title asks without a stream for few tokens.
    """
    history = [
        {"role": "system", "content": "You are Rick."},
        {"role": "user", "content": [{"type": "text", "text": "Where are we?"}]},
    ]

    async def work(client: httpx.AsyncClient, house: House) -> None:
        headers = {"authorization": "Bearer none", "X-OpenWebUI-User-Name": "somebody"}
        assert (await client.get("/v1/models", headers=headers)).json()["data"]
        body = {"stream": True, "model": "run:Rick", "messages": history, "stream_options": {"include_usage": True}}
        *chunks, done = events((await client.post("/v1/chat/completions", json=body, headers=headers)).text)
        assert done == "[DONE]"
        assert json.loads(chunks[-1])["usage"]["total_tokens"] > 0
        title = {"model": "run", "messages": history[1:], "stream": False, "max_completion_tokens": 5}
        found = (await client.post("/v1/chat/completions", json=title, headers=headers)).json()
        assert found["usage"]["completion_tokens"] <= 5

    calls([served], work)


def test_a_page_that_asks_as_the_browser_does(served: Served) -> None:
    """KoboldAI Lite runs in a browser: without --allow-origin another origin's page gets nothing."""

    async def work(client: httpx.AsyncClient, house: House) -> None:
        page = {"origin": "https://lite.example"}
        assert (await client.post("/v1/chat/completions", json=asked(), headers=page)).status_code == 403

    calls([served], work)
