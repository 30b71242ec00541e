"""The clients that people use, as they are: openai (Python and npm), llm, litellm. Each talks to a running server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from serving import asked, make_served, running
from wolf_chatbox.talk.server.roster import Served

KEY = "a-key-of-the-tests"
HERE = Path(__file__).parent
LITELLM = "litellm==1.110.2"
TALK = """
import sys, litellm
litellm.telemetry = False
ask = dict(model="openai/run:Rick", api_base=sys.argv[1] + "/v1", api_key=sys.argv[2], temperature=0, max_tokens=8,
           messages=[{"role": "user", "content": "Where are we?", "name": "Beth"}], num_retries=0)
reply = litellm.completion(**ask)
streamed = "".join(chunk.choices[0].delta.content or "" for chunk in litellm.completion(stream=True, **ask))
try:
    litellm.completion(**(ask | {"model": "openai/nobody"}))
except litellm.exceptions.NotFoundError as error:
    refused = error.status_code
import json
print(json.dumps({"said": reply.choices[0].message.content, "streamed": streamed, "refused": refused,
                  "usage": reply.usage.total_tokens}))
"""


@pytest.fixture(scope="module")
def server(tokenizer: Any) -> Iterator[tuple[str, Served]]:
    served = make_served(tokenizer)
    with running([served], keys=[KEY]) as (url, _):
        yield url, served


def expected(url: str, **more: Any) -> dict[str, Any]:
    """What a plain request gets that asks for the same."""
    body = asked(model="run:Rick", temperature=0, max_tokens=8, **more)
    body["messages"][0]["name"] = "Beth"
    response = httpx.post(f"{url}/v1/chat/completions", json=body, headers={"authorization": f"Bearer {KEY}"})
    found: dict[str, Any] = response.json()
    return found


def test_openai(server: tuple[str, Served]) -> None:
    url, _ = server
    said = expected(url)["choices"][0]["message"]["content"]
    with openai.OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0) as client:
        assert [model.id for model in client.models.list()][:2] == ["run", "run:Rick"]
        assert client.models.retrieve("run").id == "run"
        ask: dict[str, Any] = {"model": "run:Rick", "temperature": 0, "max_tokens": 8}
        ask["messages"] = [{"role": "user", "content": "Where are we?", "name": "Beth"}]
        reply = client.chat.completions.create(**ask, logprobs=True, top_logprobs=2)
        assert reply.choices[0].message.content == said
        assert reply.usage.completion_tokens == len(reply.choices[0].logprobs.content)
        chunks = list(client.chat.completions.create(**ask, stream=True, stream_options={"include_usage": True}))
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == said
        assert chunks[-1].usage == reply.usage
        text = client.completions.create(model="run", prompt="Rick:", max_tokens=4, logprobs=1, echo=True)
        assert text.choices[0].text.startswith("Rick:")
        extended = client.chat.completions.create(**ask, extra_body={"top_k": 1, "min_p": 0.1})
        assert extended.choices[0].message.content == said
        with pytest.raises(openai.NotFoundError) as unknown:
            client.chat.completions.create(**(ask | {"model": "nobody"}))
        assert (unknown.value.code, unknown.value.param) == ("model_not_found", "model")
        with pytest.raises(openai.BadRequestError, match="use repetition_penalty"):
            client.chat.completions.create(**ask, presence_penalty=1)
    wrong = openai.OpenAI(base_url=f"{url}/v1", api_key="wrong", max_retries=0)
    with wrong, pytest.raises(openai.AuthenticationError):
        wrong.models.list()


def test_openai_knows_a_full_queue(tokenizer: Any) -> None:
    served = make_served(tokenizer, slots=1, queue=0)
    with running([served]) as (url, _):
        served.gate.running = 1
        with openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
            with pytest.raises(openai.RateLimitError) as full:
                client.chat.completions.create(**asked())
            assert full.value.response.headers["retry-after"] == "2"
        served.gate.running = 0


@pytest.mark.slow
def test_llm(server: tuple[str, Served], tmp_path: Path) -> None:
    url, _ = server
    names = tmp_path / "extra-openai-models.yaml"
    names.write_text(f"- model_id: rick\n  model_name: run:Rick\n  api_base: {url}/v1\n  api_key_name: rick\n")
    (tmp_path / "keys.json").write_text(json.dumps({"rick": KEY}))
    environment = os.environ | {"LLM_USER_PATH": str(tmp_path), "PYTHONWARNINGS": "ignore"}
    environment.pop("PYTHONPATH", None)
    said = httpx.post(
        f"{url}/v1/chat/completions",
        json=asked(model="run:Rick", temperature=0, max_tokens=8),
        headers={"authorization": f"Bearer {KEY}"},
    ).json()["choices"][0]["message"]["content"]
    for stream in ([], ["--no-stream"]):
        command = [sys.executable, "-m", "llm", "-m", "rick", "-o", "temperature", "0", "-o", "max_tokens", "8"]
        done = subprocess.run(
            [*command, *stream, "--no-log", "Where are we?"],
            capture_output=True,
            text=True,
            env=environment,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == said.strip()


@pytest.mark.network
@pytest.mark.slow
def test_litellm(server: tuple[str, Served], tmp_path: Path) -> None:
    """It has an environment of its own: its dependencies would put older packages in place of ours."""
    url, _ = server
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert uv, "uv is among the requirements for development"
    home = tmp_path / "litellm"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(home)], check=True)
    python = home / "bin" / "python"
    subprocess.run([uv, "pip", "install", "--quiet", "--python", str(python), LITELLM], check=True)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [python, "-c", TALK, url, KEY],
        capture_output=True,
        text=True,
        env=environment | {"LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    found, plain = json.loads(done.stdout.splitlines()[-1]), expected(url)
    said = plain["choices"][0]["message"]["content"]
    assert found == {"said": said, "streamed": said, "refused": 404, "usage": plain["usage"]["total_tokens"]}


@pytest.mark.network
@pytest.mark.slow
def test_npm_openai(server: tuple[str, Served], tmp_path: Path) -> None:
    """The official client for JavaScript; a machine without Node fails here, as one without a network does."""
    url, _ = server
    npm, node = shutil.which("npm"), shutil.which("node")
    assert npm, "needs Node.js 20 or newer with npm"
    assert node
    for name in ("package.json", "package-lock.json", "chat.mjs"):
        shutil.copy(HERE / "npm" / name, tmp_path)
    subprocess.run([npm, "ci", "--no-audit", "--no-fund", "--silent"], cwd=tmp_path, check=True, timeout=300)
    done = subprocess.run([node, "chat.mjs", url, KEY], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found, plain = json.loads(done.stdout), expected(url)
    said = plain["choices"][0]["message"]["content"]
    assert (found["said"], found["streamed"], found["usage"]) == (said, said, plain["usage"])
    assert found["models"] == ["run", "run:Rick", "run:Morty", "run:Beth"]
    assert found["text"]
    assert found["refused"] == {"kind": "NotFoundError", "status": 404, "code": "model_not_found", "param": "model"}


def test_the_pinned_npm_client_is_the_locked_one() -> None:
    wanted = json.loads((HERE / "npm" / "package.json").read_text())["dependencies"]["openai"]
    locked = json.loads((HERE / "npm" / "package-lock.json").read_text())["packages"]["node_modules/openai"]
    assert locked["version"] == wanted
    assert "resolved" not in locked, "the lock file names no host"
