"""A model behind any server with OpenAI's chat completions: one POST for an answer.

https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

import json
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, Self

from wolf_chatbox.errors import ConfigError, ModelError

TRIES = 4
"""How often a request is made while the server is busy."""


@dataclass(frozen=True)
class Remote:
    """A model that a server offers."""

    url: str
    """Of the chat completions."""
    model: str
    key: str = ""
    """The environment variable with the server's key."""

    @classmethod
    def named(cls, address: str, setting: str, key: str) -> Self:
        """The model of `URL#MODEL`, the URL as OpenAI's clients take it; raises ConfigError for anything else."""
        url, _, model = address.partition("#")
        if not re.match(r"https?://[^/\s]", url) or not model:
            example = "such as http://127.0.0.1:8000/v1#wolf_model"
            raise ConfigError(setting, address, f"must be the URL and the model of a server, {example}.")
        url = url.rstrip("/")
        return cls(url if url.endswith("/chat/completions") else url + "/chat/completions", model, key)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Refuses to go elsewhere: the key and the texts are for the server that was named."""

    def redirect_request(self, *request: Any, **more: Any) -> None:
        return None


def complete(
    remote: Remote,
    messages: Sequence[Mapping[str, str]],
    sampling: Mapping[str, float],
    *,
    wait: Callable[[float], object] = time.sleep,
    seconds: float = 300,
) -> str:
    """The model's answer to some messages; raises ModelError. A busy server is asked again after `wait` seconds.

    `seconds` is for how long it may be silent.
    """
    body: dict[str, Any] = {"model": remote.model, "messages": list(messages), **sampling}
    for tried in range(1, TRIES + 1):
        try:
            answer = _post(remote, body, seconds)
            content = json.loads(answer)["choices"][0]["message"]["content"]
            return content if isinstance(content, str) else ""
        except urllib.error.HTTPError as error:
            why = f"{error.code} {error.reason}{_reason(error)}"
            if error.code == 400 and "temperature" in body and "temperature" in why:
                del body["temperature"]  # some models take their own only
            elif tried == TRIES or not (error.code == 429 or error.code >= 500):
                raise ModelError(f"{remote.url}: {why}. Check the address, the model and {remote.key}.") from error
            else:
                wait(2.0**tried)
        except (OSError, HTTPException, ValueError, LookupError, TypeError) as error:
            why = str(getattr(error, "reason", error)) or type(error).__name__
            raise ModelError(
                f"{remote.url}: no answer ({why}). Check the address, and that the server runs."
            ) from error
    raise ModelError(f"{remote.url}: no answer. Check the address, and that the server runs.")


def _post(remote: Remote, body: Mapping[str, Any], seconds: float) -> bytes:
    headers = {"Content-Type": "application/json"}
    if key := os.environ.get(remote.key):
        headers["Authorization"] = f"Bearer {key}"
    request = urllib.request.Request(remote.url, json.dumps(body).encode(), headers)
    with urllib.request.build_opener(_NoRedirect).open(request, timeout=seconds) as answer:
        content: bytes = answer.read(10_000_000)
    return content


def _reason(error: urllib.error.HTTPError) -> str:
    """What the server says about its refusal, in a line."""
    try:
        said = json.loads(error.read(100_000))["error"]["message"]
    except (OSError, HTTPException, ValueError, LookupError, TypeError):
        return ""
    return f": {' '.join(str(said).split())[:200].rstrip('.')}"
