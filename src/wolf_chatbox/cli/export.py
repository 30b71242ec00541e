"""`wolf-chatbox export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from wolf_chatbox.config import AllowBase, Artefact, Quantisation
from wolf_chatbox.errors import ConfigError


def export(
    model: Path,
    *,
    to: Artefact | None = None,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    quantise: Quantisation = "q8_0",
    persona: str | None = None,
    data: tuple[str, ...] = (),
    push_to_hub: str | None = None,
    public: bool = False,
    overwrite: bool = False,
    allow_base: AllowBase = False,
) -> int:
    """Export a trained model for other programs; each export is checked before it is called done.

    Parameters
    ----------
    model
        Folder of a trained model; for gguf and onnx also of any base model.
    to
        gguf (llama.cpp, Ollama, with a Modelfile), onnx (needs wolf-chatbox[onnx]), card (character card V2 and V3).
    output
        New folder for the export; without it, beside the model, such as wolf_model-gguf.
    quantise
        How a GGUF stores the weights: q8_0 (8 bits), q4_k (4 bits, for large models), f16 (16 bits).
    persona
        The speaker of a character card; without it, the trained persona, else the speaker with the most turns.
    data
        Files of the data for a character card, if they are not where they were when the model was trained.
    push_to_hub
        Upload the export, or without --to the trained model, to this repository of the hub, private by default.
    public
        Make a new repository of the hub public.
    overwrite
        Replace an export in the output folder.
    """
    if to is None and push_to_hub is None:
        raise ConfigError("to", "(none)", "names nothing to do. Give gguf, onnx or card, or pass --push-to-hub NAME.")
    from wolf_chatbox.cli.display import quiet_transformers
    from wolf_chatbox.cli.pulse import waiting
    from wolf_chatbox.model.hub import locate, megabytes
    from wolf_chatbox.screen import Screen, painted

    quiet_transformers()
    from wolf_chatbox.export.artefact import export as make
    from wolf_chatbox.export.push import CARD, push

    screen, console = Screen(), Screen(stderr=True)
    folder = locate(str(model), console.say)
    result = folder
    if to is not None:
        with waiting(console, f"Exporting {model}"):
            result, checked = make(
                folder,
                to,
                output=output,
                quantise=quantise,
                persona=persona,
                data=data,
                overwrite=overwrite,
                allow_base=allow_base,
                tell=console.say,
            )
        screen.say(f"Checked: {checked}.")
        screen.print(painted(("The export is in ", ""), (str(result), "bold"), (".", "")))
    if push_to_hub is not None:
        with waiting(console, f"Uploading {result}"):
            pushed = push(result, push_to_hub, card=folder / CARD, public=public, tell=console.say)
        screen.say(f"Checked: {pushed.files} files there, {megabytes(pushed.size)}, as here.")
        screen.print(painted(("It is at ", ""), (pushed.address, "bold"), (".", "")))
    return 0
