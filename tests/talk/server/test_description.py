"""The OpenAPI description is true: Schemathesis (https://schemathesis.io) asks by it, and finds nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case

from conftest import make_gpt2
from serving import make_served, running
from wolf_chatbox.talk.server.house import Limits

KEY = "a-key-of-the-tests"


@pytest.fixture(scope="module")
def api(tokenizer: Any) -> Iterator[Any]:
    served = make_served(tokenizer, slots=128, queue=8, model=make_gpt2(len(tokenizer), context=1024))
    with running([served], Limits(reply_tokens=4), keys=[KEY]) as (url, _):
        config = schemathesis.Config()
        yield schemathesis.openapi.from_url(
            f"{url}/openapi.json", config=config, headers={"authorization": f"Bearer {KEY}"}
        )


schema = schemathesis.pytest.from_fixture("api")


@schema.parametrize()
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_described(case: Case) -> None:
    case.call_and_validate(headers={"authorization": f"Bearer {KEY}"})
