from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from wolf_chatbox.cli import app, run
from wolf_chatbox.conversation import parse_conversations

pytestmark = pytest.mark.usefixtures("fp32")

TRAIN_FLAGS = [
    "--data",
    "--model",
    "--output",
    "--persona",
    "--view",
    "--style",
    "--epochs",
    "--batch-size",
    "--accumulate",
    "--max-tokens",
    "--lr",
    "--schedule",
    "--warmup-ratio",
    "--validation-share",
    "--log-every",
    "--save-every",
    "--seed",
    "--resume",
    "--max-new-tokens",
    "--no-repeat-ngram-size",
    "--top-k",
    "--top-p",
    "--temperature",
    "--config",
]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(lambda: app.meta(list(arguments), exit_on_error=False, print_error=False), {})
        return (code, *capsys.readouterr())

    return call


def test_help_loads_neither_torch_nor_transformers() -> None:
    for arguments in (
        ["--help"],
        ["train", "--help"],
        ["chat", "--help"],
        ["data", "convert", "--help"],
        ["data", "get", "--help"],
        ["models", "--help"],
    ):
        program = (
            f"import sys; sys.argv = ['wolf-chatbox', *{arguments!r}]\nfrom wolf_chatbox.cli import main\n"
            "try: main()\nexcept SystemExit as end: assert not end.code\n"
            "assert not {'torch', 'transformers', 'accelerate', 'matplotlib'} & set(sys.modules)"
        )
        shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert shown.returncode == 0, shown.stderr
        assert "Usage: wolf-chatbox" in shown.stdout


def test_train_has_every_flag(cli: Any) -> None:
    code, shown, _ = cli("train", "--help")
    assert code == 0
    assert [flag for flag in TRAIN_FLAGS if f"{flag} " not in shown] == []


def test_convert_writes_our_form_and_accounts_for_every_turn(cli: Any, tmp_path: Path) -> None:
    code, out, err = cli("data", "convert", "example", "-o", "corpus.jsonl")
    assert (code, out) == (0, "")
    assert "566 turns read = 566 kept + 0 dropped" in err
    with (tmp_path / "corpus.jsonl").open() as file:
        assert sum(len(conversation.turns) for conversation in parse_conversations(file, "corpus")) == 566
    code, _, err = cli("data", "convert", "example", "-o", "corpus.jsonl")
    assert code == 1
    assert "--overwrite" in err
    assert cli("data", "convert", "corpus.jsonl", "-o", "again.jsonl")[0] == 0
    assert (tmp_path / "again.jsonl").read_text() == (tmp_path / "corpus.jsonl").read_text()
    code, _, err = cli("data", "convert", "nowhere.csv", "-o", "other.jsonl")
    assert code == 1
    assert err.startswith("error: nowhere.csv: there is no such file.")
    assert sorted(path.name for path in tmp_path.glob("*.jsonl*")) == ["again.jsonl", "corpus.jsonl"]


def test_a_yaml_file_gives_settings_and_flags_override_them(
    cli: Any, tmp_path: Path, tiny_gpt2: Path, script: Path
) -> None:
    settings = {
        "data": [str(script)],
        "model": str(tiny_gpt2),
        "epochs": 3,
        "max-tokens": 64,
        "batch_size": 1,
        "max_new_tokens": 4,
        "top_k": 7,
    }
    (tmp_path / "run.yaml").write_text(json.dumps(settings))
    code, _, err = cli("train", "--config", "run.yaml", "--epochs", "1", "--output", "mine")
    assert code == 0, err
    made = json.loads((tmp_path / "mine" / "run.json").read_text())["settings"]
    assert (made["epochs"], made["max_tokens"], made["batch_size"], made["sampling"]["top_k"]) == (1, 64, 1, 7)
    for text, says in (
        ("epochs: 0", "--epochs 0: must be 1 or more"),
        ("bogus: 1", "bogus"),
        ("- a", "contains no settings"),
        ("a: [", "not valid YAML"),
    ):
        (tmp_path / "bad.yaml").write_text(text if "epochs" not in text else f"data: [x]\n{text}")
        code, _, err = cli("train", "--config", "bad.yaml")
        assert code > 0
        assert says in err
        assert err.count("\n") == 1
    assert "none.yaml: cannot be read" in cli("train", "--config", "none.yaml")[2]


def test_a_chat_takes_the_model_with_and_without_its_flag() -> None:
    from wolf_chatbox.cli import app

    given = [app["chat"].parse_args(words, print_error=False)[1] for words in (["ann"], ["--model", "ann"])]
    assert [call.arguments["config"].model for call in given] == ["ann", "ann"]


def test_models_lists_the_aliases(cli: Any) -> None:
    code, out, _ = cli("models", "list")
    assert code == 0
    assert {"smollm2-135m", "dialogpt-small", "gpt2-xl", "japanese-gpt2-medium"} <= set(out.split())
    code, _, err = cli("models", "pull", "./nowhere")
    assert code == 1
    assert err.startswith("error: ./nowhere: no such folder.")


def test_an_unknown_error_keeps_its_traceback() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(fail, {})


NOTHING_SAID = {"a.csv": "name,line\nAda,\nBob, \n", "b.jsonl": '{"messages": [{"role": "user", "content": ""}]}\n'}


@pytest.mark.parametrize("name", NOTHING_SAID)
def test_converting_what_holds_no_turn_is_an_error_and_writes_nothing(cli: Any, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(NOTHING_SAID[name])
    (tmp_path / "out.jsonl").write_text("as it was")
    for verb in (["convert", name, "-o", "out.jsonl", "--overwrite"], ["inspect", name]):
        code, out, err = cli("data", *verb)
        assert (code, out) == (1, "")
        assert f"error: {name}: no turns of dialogue found (" in err
        assert "dropped: no text)" in err
    assert (tmp_path / "out.jsonl").read_text() == "as it was"
    assert sorted(path.name for path in tmp_path.iterdir()) == [name, "out.jsonl"]


def test_a_folder_read_in_part_is_told_and_has_an_exit_code_of_its_own(cli: Any, tmp_path: Path) -> None:
    talks = tmp_path / "talks"
    talks.mkdir()
    (talks / "a.csv").write_text("name,line\nAda,Hallo\nBob,Tag\n")
    (talks / "b.jsonl").write_text('{"turns": [{"speaker": "Cy", "text": "Ja"}]}\n{"turns": ["Nein"]}\n')
    wrong = (
        f'read in part (1 turns): {Path("talks/b.jsonl")}, line 2: each turn needs "speaker" and "text", both strings.'
    )
    code, _, err = cli("data", "convert", "talks", "-o", "out.jsonl", "--report", "report.json")
    assert code == 3
    assert f"note: {wrong}\n3 turns read = 3 kept + 0 dropped\n" in err
    assert json.loads((tmp_path / "report.json").read_text())["unread"] == [
        {"path": str(Path("talks/b.jsonl")), "reason": wrong.partition(": ")[2], "turns": 1}
    ]
    with (tmp_path / "out.jsonl").open() as file:
        assert [turn.text for each in parse_conversations(file, "out") for turn in each.turns] == ["Hallo", "Tag", "Ja"]
    code, out, _ = cli("data", "inspect", "talks")
    assert code == 3
    assert wrong in out
    code, out, _ = cli("data", "inspect", "talks", "--json")
    assert code == 3
    assert json.loads(out)["unread"][0]["turns"] == 1
    (tmp_path / "strict.yaml").write_text("strict: true\n")
    for flags in (["--strict"], ["--config", "strict.yaml"]):
        code, _, err = cli("data", "convert", "talks", "-o", "other.jsonl", *flags)
        assert code == 1
        assert err.startswith(f"error: {Path('talks/b.jsonl')}, line 2: each turn needs")
    assert not (tmp_path / "other.jsonl").exists()
    (talks / "b.jsonl").unlink()
    assert cli("data", "convert", "talks", "-o", "other.jsonl", "--strict")[0] == 0


def test_training_on_a_folder_read_in_part_tells_and_goes_on(
    cli: Any, tmp_path: Path, tiny_gpt2: Path, script: Path
) -> None:
    talks = tmp_path / "talks"
    talks.mkdir()
    (talks / "a.csv").write_text(script.read_text())
    (talks / "question.jsonl").write_text('{"question_id": 81, "turns": ["Describe an oar."]}\n')
    flags = ["train", "--data", "talks", "--model", str(tiny_gpt2), "--max-tokens", "64", "--dry-run"]
    code, out, err = cli(*flags)
    assert code == 0, err
    assert f"note: not read: {Path('talks/question.jsonl')}, line 1: each turn needs" in out
    code, _, err = cli(*flags, "--strict")
    assert (code, "question.jsonl, line 1" in err) == (1, True)
