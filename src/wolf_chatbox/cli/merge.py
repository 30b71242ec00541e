"""`wolf-chatbox merge`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def merge(adapter: Path, *, output: Annotated[Path, Parameter(alias="-o")]) -> int:
    """Make a full model of a LoRA adapter and its base, for programs that know no adapters.

    Parameters
    ----------
    adapter
        The folder of a model trained with --lora-rank.
    output
        The new folder for the full model.
    """
    from rich.console import Console

    from wolf_chatbox.cli.display import quiet_transformers

    quiet_transformers()
    from wolf_chatbox.publish import merge_adapter

    merge_adapter(adapter, output)
    Console(highlight=False).print(f"The full model is in [bold]{output}[/].")
    return 0
