"""Tiny models of two layers and a tokenizer trained here: everything the tests need, without a network."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before torch is loaded, as the command line does
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import pytest
from hypothesis import settings

# Slow machines fail no test: a law holds or it does not.
settings.register_profile("laws", deadline=None)
settings.load_profile("laws")

CHATML = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou help.<|im_end|>\n' }}{% endif %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
ROOT = Path(__file__).resolve().parent.parent
pytest_plugins = ["classic", "browsing"]


def make_tokenizer(
    end: str = "<|endoftext|>", marks: tuple[str, ...] = (), template: str | None = None, **special: str
) -> Any:
    """A byte-level BPE of 400 entries, trained on the bundled script."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import PreTrainedTokenizerFast

    bpe = ByteLevelBPETokenizer()
    lines = (ROOT / "src/wolf_chatbox/data/innkeeper.csv").read_text().splitlines()
    bpe.train_from_iterator(lines, vocab_size=400, special_tokens=[*dict.fromkeys([end, *marks])], show_progress=False)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe._tokenizer, eos_token=end, **special)
    if marks:
        tokenizer.add_special_tokens({"additional_special_tokens": list(marks)})
    tokenizer.chat_template = template
    return tokenizer


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    return make_tokenizer()


@pytest.fixture(scope="session")
def chat_tokenizer() -> Any:
    return make_tokenizer("<|im_end|>", ("<|im_start|>", "<|endoftext|>"), CHATML)


def make_gpt2(vocab: int = 400, context: int = 256, **settings: Any) -> Any:
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    settings = {
        "n_layer": 2,
        "n_head": 2,
        "n_embd": 32,
        "resid_pdrop": 0.0,
        "embd_pdrop": 0.0,
        "attn_pdrop": 0.0,
    } | settings
    return GPT2LMHeadModel(
        GPT2Config(vocab_size=vocab, n_positions=context, bos_token_id=0, eos_token_id=0, **settings)
    )


def make_llama(vocab: int = 410, context: int = 256, **settings: Any) -> Any:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    shape = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "tie_word_embeddings": True,
    }
    return LlamaForCausalLM(LlamaConfig(vocab_size=vocab, max_position_embeddings=context, **(shape | settings)))


@pytest.fixture(scope="session")
def tiny_gpt2(tmp_path_factory: pytest.TempPathFactory, tokenizer: Any) -> Path:
    """A folder with a GPT-2 of two layers, a context of 256 tokens, and a tokenizer without a chat template."""
    folder = tmp_path_factory.mktemp("models") / "tiny-gpt2"
    make_gpt2(len(tokenizer)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory, chat_tokenizer: Any) -> Path:
    """A folder with a Llama of two layers, and a tokenizer with a ChatML template."""
    folder = tmp_path_factory.mktemp("models") / "tiny-llama"
    make_llama(len(chat_tokenizer), eos_token_id=chat_tokenizer.eos_token_id).save_pretrained(folder)
    chat_tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A script of 6 episodes with 8 lines each, easy to learn."""
    path = tmp_path_factory.mktemp("data") / "script.csv"
    write_script(path)
    return path


def write_script(
    path: Path,
    episodes: int = 6,
    speakers: tuple[str, ...] = ("Ann", "Bob"),
    say: Callable[[int, int], str] | None = None,
) -> None:
    say = say or (lambda episode, line: f"the goose number {line} is in house {episode}")
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["index", "season no.", "episode no.", "episode name", "name", "line"])
        for index in range(episodes * 8):
            episode, line = divmod(index, 8)
            table.writerow(
                [index, 1, episode + 1, f"Part {episode + 1}", speakers[index % len(speakers)], say(episode, line)]
            )


@pytest.fixture
def config(tiny_gpt2: Path, script: Path, tmp_path: Path) -> Any:
    """Makes the settings of a short run; what is named is changed."""
    from wolf_chatbox.config import SamplingConfig, TrainConfig

    def make(**changes: Any) -> TrainConfig:
        settings: dict[str, Any] = {
            "data": (str(script),),
            "model": str(tiny_gpt2),
            "output": tmp_path / "model",
            "epochs": 2,
            "batch_size": 1,
        }
        settings |= {"max_tokens": 64, "lr": 5e-3, "sampling": SamplingConfig(max_new_tokens=4)}
        return TrainConfig(**(settings | changes))

    return make


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A server with the files of the made-up public sets, the only ones known; nobody waits between two tries."""
    from mirror import Mirror
    from public_sets import CONTENT, PATHS, SETS
    from wolf_chatbox.public import catalogue

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WOLF_CHATBOX_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(catalogue, "sets", lambda: SETS)
    monkeypatch.setattr("pooch.core.time", SimpleNamespace(sleep=lambda seconds: None))
    with Mirror({PATHS[path]: content for path, content in CONTENT.items()}) as server:
        monkeypatch.setenv("WOLF_CHATBOX_MIRROR", server.url)
        yield server


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Run `wolf-chatbox data …`; returns the exit code and what was shown."""
    from wolf_chatbox.cli import app, run

    def call(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        code = run(lambda: app.meta(["data", *arguments], exit_on_error=False, print_error=False), {})
        shown = capsys.readouterr()
        return code, shown.out + shown.err

    return call


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test touches the person's own caches and chats, or depends on their language."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return


@pytest.fixture
def fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train in fp32: laws hold to rounding, and there the rounding is small on every machine."""
    from wolf_chatbox.training import devices

    monkeypatch.setattr(devices, "choose_precision", lambda precision: "no")
