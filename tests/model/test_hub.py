"""The hub: what is asked of it, what is not, and every way in which it can fail; against a server on the loopback."""

from __future__ import annotations

import csv
import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from hub import LINES, Hub, add_decoys, use_endpoint, write_gpt2
from wolf_chatbox.config import TrainConfig
from wolf_chatbox.errors import ModelError
from wolf_chatbox.model import embedded
from wolf_chatbox.model.adaptation import adapt
from wolf_chatbox.model.adapter import write_base_name
from wolf_chatbox.model.load import load_model
from wolf_chatbox.talk.session import ChatSession
from wolf_chatbox.training.loop import train
from wolf_chatbox.training.publish import merge_adapter

NAME = "microsoft/DialoGPT-small"
ROOT = Path(__file__).parents[2]
FILES = {"config.json", "pytorch_model.bin", "vocab.json", "merges.txt", "generation_config_for_conversational.json"}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hub") / "repository"
    write_gpt2(folder)
    add_decoys(folder)
    return folder


@pytest.fixture
def hub(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that this process asks; what HF_ENDPOINT and HF_HOME would say is read when huggingface_hub is imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_TOKEN", "")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "no-token"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_PROGRESS_BARS", True)
    with Hub(
        {NAME: repository, "some/gated": repository, "some/private": repository},
        gated=("some/gated",),
        private=("some/private",),
        token="secret",
    ) as hub:
        use_endpoint(monkeypatch, hub.url)
        yield hub


def failure(name: str) -> str:
    """The one line that says why a model cannot be had."""
    with pytest.raises(ModelError) as raised:
        load_model(name)
    text = str(raised.value)
    assert text.startswith(f"{name}: ")
    assert "\n" not in text
    return text


def test_only_what_is_needed_is_fetched(hub: Hub, repository: Path, tmp_path: Path) -> None:
    base = load_model(NAME)
    assert hub.fetched() == FILES
    assert base.folder.is_relative_to(tmp_path / "cache")
    direct = load_model(str(repository))
    ids = torch.tensor([[7, 42, 5]])
    assert torch.equal(base.model(ids).logits, direct.model(ids).logits)
    assert base.tokenizer(LINES[0]).input_ids == direct.tokenizer(LINES[0]).input_ids


def test_second_load_fetches_nothing(hub: Hub) -> None:
    load_model(NAME)
    hub.requests.clear()
    load_model("dialogpt-small")
    assert hub.fetched() == set()


def test_a_download_is_told_with_its_size(hub: Hub, repository: Path) -> None:
    told: list[str] = []
    load_model(NAME, tell=told.append)
    size = sum((repository / name).stat().st_size for name in FILES)
    assert told == [f"downloading {NAME} ({size / 1e6:.1f} MB) from the hub"]
    load_model(NAME, tell=told.append)
    assert len(told) == 1


def test_safetensors_before_pickles(hub: Hub, repository: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(repository, tmp_path / "new"))
    load_model(str(folder)).model.save_pretrained(folder)
    (folder / "consolidated.safetensors").write_bytes(b"the same again")
    hub.repositories[NAME] = folder
    load_model(NAME)
    assert {name for name in hub.fetched() if name.endswith((".bin", ".safetensors"))} == {"model.safetensors"}


def test_interrupted_download_is_continued(hub: Hub) -> None:
    hub.cut.add("pytorch_model.bin")
    load_model(NAME)
    assert (
        len(
            [
                request
                for request in hub.requests
                if request.method == "GET" and request.path.endswith("/pytorch_model.bin")
            ]
        )
        == 2
    )


def test_unreachable_hub_with_a_cache(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    load_model(NAME)
    hub.broken = 503
    load_model(NAME)
    use_endpoint(monkeypatch, "http://127.0.0.1:9")
    load_model(NAME)


def test_unreachable_hub_without_a_cache(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.broken = 500
    assert "cannot reach the hub, and the model is not in the cache" in failure(NAME)
    use_endpoint(monkeypatch, "http://127.0.0.1:9")
    assert failure(NAME).endswith(f"or use the embedded model: {embedded.ALIAS}.")


def test_offline(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    load_model(NAME)
    hub.requests.clear()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    load_model(NAME)
    text = failure("gpt2-medium-of-nobody")
    assert "HF_HUB_OFFLINE is set, and the model is not in the cache" in text
    assert embedded.ALIAS in text
    assert hub.requests == []


def test_half_a_cache_is_none(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    (load_model(NAME).folder / "pytorch_model.bin").unlink()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert "the model is not in the cache" in failure(NAME)


@pytest.mark.parametrize("name", ["some/typo", "no such name!", "x" * 100])
def test_wrong_name(hub: Hub, name: str) -> None:
    assert "no such model on the hub, and no such folder. Check the name" in failure(name)


def test_private_model_needs_a_token(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "a private one needs HF_TOKEN" in failure("some/private")
    monkeypatch.setenv("HF_TOKEN", "secret")
    load_model("some/private")
    assert {request.token for request in hub.requests if "/resolve/" in request.path} == {"Bearer secret"}


@pytest.mark.parametrize("token", ["", "another"])
def test_gated_model(hub: Hub, monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    assert "a gated model. Accept its terms on the hub, then set HF_TOKEN" in failure("some/gated")


def test_token_that_the_hub_refuses(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "stale")
    hub.broken, hub.excuse = 401, "Invalid credentials in Authorization header"
    assert failure(NAME).endswith("the hub refuses HF_TOKEN. Set it to a valid token, or unset it.")


def test_no_weights_that_torch_reads(hub: Hub, repository: Path, tmp_path: Path) -> None:
    hub.repositories[NAME] = Path(
        shutil.copytree(repository, tmp_path / "tensorflow", ignore=shutil.ignore_patterns("*.bin"))
    )
    assert "no PyTorch weights" in failure(NAME)
    assert hub.fetched() == set()


def test_full_disk(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("huggingface_hub.file_download.http_get", fill)
    assert failure(NAME).endswith("the disk is full. Free some space, or set HF_HOME to another disk.")


# Adapters: a LoRA folder is small and may come from anybody; what it names is asked of nobody


@pytest.fixture
def adapter(repository: Path, tmp_path: Path) -> Path:
    """A LoRA folder that names a model of the hub as its base, made without the hub."""
    folder = tmp_path / "adapter"
    base = load_model(str(repository))
    adapt(base.model, TrainConfig(data=("example",), lora_rank=2), NAME)
    base.model.save_pretrained(folder)
    base.tokenizer.save_pretrained(folder)
    write_base_name(folder, NAME)
    return folder


def test_an_adapter_asks_the_hub_for_nothing_unless_it_may(hub: Hub, adapter: Path, tmp_path: Path) -> None:
    told: list[str] = []
    for ask in (
        lambda: load_model(str(adapter), tell=told.append),
        lambda: ChatSession.load(adapter, tell=told.append),
        lambda: merge_adapter(adapter, tmp_path / "merged", tell=told.append),
        lambda: train(TrainConfig(data=("example",), model=str(adapter), output=tmp_path / "trained")),
    ):
        with pytest.raises(ModelError) as raised:
            ask()
        assert str(raised.value) == (
            f"{adapter}: a LoRA adapter whose base model cannot be loaded: {NAME}: not on this machine, and an adapter "
            "may not make us download it. If you trust it, pass --allow-base."
        )
    assert (hub.requests, told) == ([], [])
    load_model(str(adapter), allow_base=True, tell=told.append)
    assert told[0] == f"downloading {NAME} from the hub, the base model that {adapter} names"
    assert "pytorch_model.bin" in hub.fetched()
    # What is on this machine needs no leave, and the hub is not asked whether it is still the newest.
    hub.requests.clear()
    ChatSession.load(adapter, tell=told.append)
    merge_adapter(adapter, tmp_path / "merged", tell=told.append)
    assert hub.requests == []
    assert [line for line in told if "downloading" in line] == told[:2]


def test_an_adapter_offline(hub: Hub, adapter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    told: list[str] = []
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE is set, and the model is not in the cache"):
        load_model(str(adapter), allow_base=True, tell=told.append)
    assert (hub.requests, told) == ([], [])


def test_an_adapter_behind_an_adapter_asks_nothing_either(
    hub: Hub, adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does one with a config.json beside it, one that is its own base, and one without weights in a folder with a
    model's name."""
    outer = Path(shutil.copytree(adapter, tmp_path / "outer"))
    shutil.copy(hub.repositories[NAME] / "config.json", adapter)
    write_base_name(outer, str(adapter))
    with pytest.raises(ModelError, match=f"{NAME}: not on this machine"):
        load_model(str(outer))
    write_base_name(adapter, str(outer))
    with pytest.raises(ModelError, match="names itself as its base model"):
        load_model(str(outer))
    named = Path(shutil.copytree(adapter, tmp_path / "some" / "model"))
    write_base_name(named, str(hub.repositories[NAME]))
    (named / "adapter_model.safetensors").unlink()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=r"some/model: cannot load the adapter"):
        load_model("some/model")
    assert hub.requests == []


def write_script(path: Path) -> None:
    """Forty lines of four episodes, in the columns of the Rick and Morty script."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["index", "season no.", "episode no.", "episode name", "name", "line"])
        for at in range(40):
            rows.writerow(
                [
                    at,
                    1,
                    at // 10 + 1,
                    f"Episode {at // 10 + 1}",
                    ("Rick", "Morty")[at % 2],
                    LINES[(at * 7 // 3) % len(LINES)],
                ]
            )


def dial_main(
    folder: Path, environment: dict[str, str], *flags: str, typed: str = ""
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, ROOT / "dial_main.py", *flags],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        | {"OMP_NUM_THREADS": "1"}
        | environment,
        input=typed,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.slow
def test_dial_main_with_its_default_model(repository: Path, tmp_path: Path) -> None:
    write_script(tmp_path / "RickAndMortyScripts.csv")
    environment = {"HF_HOME": str(tmp_path / "home"), "HF_TOKEN": "hf_of_the_test"}
    settings = ("--epoch", "1", "--max_len_dial", "64")
    with Hub({NAME: repository}) as hub:
        environment["HF_ENDPOINT"] = hub.url
        dial_main(tmp_path, environment, *settings)
    assert hub.fetched() == FILES
    assert {request.token for request in hub.requests if NAME in request.path} == {"Bearer hf_of_the_test"}
    assert list((tmp_path / "home" / "hub").glob("models--microsoft--DialoGPT-small/snapshots/*/config.json"))
    assert (tmp_path / "wolf_model" / "model.safetensors").is_file()

    offline = {"HF_HOME": environment["HF_HOME"], "HF_HUB_OFFLINE": "1"}
    talked = dial_main(tmp_path, offline, "--play", "--chat_turns", "2", typed="Hello there\nWho are you?\n")
    assert len(talked.stdout.splitlines()) == 2

    dial_main(tmp_path, offline, *settings, "--ptr_model_path", "other")
    assert (tmp_path / "other" / "model.safetensors").read_bytes() == (
        tmp_path / "wolf_model" / "model.safetensors"
    ).read_bytes()
