"""The OpenAPI description is true: Schemathesis (https://schemathesis.io) asks by it, and finds nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conftest import make_gpt2
from serving import make_served, running
from wolf_chatbox.talk.server.house import Limits

KEY = "a-key-of-the-tests"
PROGRAM = "import sys; from schemathesis.cli import schemathesis; sys.exit(schemathesis())"


@pytest.mark.slow
def test_schemathesis_finds_nothing(tokenizer: Any, tmp_path: Path) -> None:
    """All checks, over all phases; with slots and a context that no generated request exceeds."""
    served = make_served(tokenizer, slots=128, queue=8, model=make_gpt2(len(tokenizer), context=2048))
    with running([served], Limits(reply_tokens=4), keys=[KEY]) as (url, _):
        command = ["run", f"{url}/openapi.json", "-H", f"Authorization: Bearer {KEY}", "--max-examples", "15"]
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", PROGRAM, *command, "--seed", "1", "--no-color"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=600,
        )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr
