"""`wolf-chatbox merge`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from wolf_chatbox.config import AllowBase


def merge(adapter: Path, *, output: Annotated[Path, Parameter(alias="-o")], allow_base: AllowBase = False) -> int:
    """Merge a LoRA adapter into its base model, for programs that cannot load adapters.

    Parameters
    ----------
    adapter
        Folder of a model trained with --lora-rank.
    output
        New folder for the merged model.
    """
    from wolf_chatbox.cli.display import quiet_transformers
    from wolf_chatbox.screen import Screen, painted

    quiet_transformers()
    from wolf_chatbox.training.publish import merge_adapter

    screen = Screen()
    merge_adapter(adapter, output, allow_base=allow_base, tell=screen.say)
    screen.print(painted(("The merged model is in ", ""), (str(output), "bold"), (".", "")))
    return 0
