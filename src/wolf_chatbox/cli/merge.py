"""`wolf-chatbox merge`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def merge(adapter: Path, *, output: Annotated[Path, Parameter(alias="-o")], allow_base: bool = False) -> int:
    """Make a full model of a LoRA adapter and its base, for programs that know no adapters.

    Parameters
    ----------
    adapter
        The folder of a model trained with --lora-rank.
    output
        The new folder for the full model.
    allow_base
        Fetch the base model that the adapter names from the hub, where it is not on this machine.
    """
    from wolf_chatbox.cli.display import quiet_transformers
    from wolf_chatbox.screen import Screen, painted

    quiet_transformers()
    from wolf_chatbox.training.publish import merge_adapter

    screen = Screen()
    merge_adapter(adapter, output, allow_base=allow_base, tell=screen.say)
    screen.print(painted(("The full model is in ", ""), (str(output), "bold"), (".", "")))
    return 0
