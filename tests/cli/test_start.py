"""Talking through llama.cpp starts fast: it imports nothing that takes seconds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from wolf_chatbox.model.engines import llama_library

PROGRAM = """
import sys
from wolf_chatbox.cli import main
sys.argv = ["wolf-chatbox", "chat", "--model", sys.argv[1], "--max-new-tokens", "5"]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print("imported:", *sorted({"torch", "transformers", "accelerate", "peft", "scipy"} & set(sys.modules)))
"""


@pytest.mark.skipif(llama_library.lacking() is not None, reason="llama.cpp is an optional engine")
@pytest.mark.parametrize("model", ["tiny_gpt2", "tiny_llama"])
def test_a_chat_through_llama_cpp_imports_neither_torch_nor_transformers(
    model: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    folder = request.getfixturevalue(model)
    # The second time the conversion is there already.
    for told in ("writing the model as GGUF", "engine: llama.cpp"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(folder)],
            input="hello\nand again\n",
            env=os.environ | {"WOLF_CHATBOX_CACHE": str(tmp_path), "CUDA_VISIBLE_DEVICES": ""},
            capture_output=True,
            text=True,
            check=False,
        )
        assert told in done.stderr
        assert done.stdout.splitlines()[-1] == "imported:", done.stdout + done.stderr
        assert len(done.stdout.splitlines()) == 3
