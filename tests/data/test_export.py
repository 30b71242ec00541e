"""`wolf-chatbox data convert`: what is written in each format, and that it comes back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wolf_chatbox.cli import app, run
from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation, Turn, parse_conversations
from wolf_chatbox.data.export import export
from wolf_chatbox.importers import read_conversations

FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(lambda: app.meta(list(arguments), exit_on_error=False, print_error=False), {})
        return code, *capsys.readouterr()

    return call


def conversation(*turns: tuple[str, str], group: str = "g") -> Conversation:
    return Conversation(tuple(Turn(*turn) for turn in turns), group)


def test_ctrl_c_says_that_it_stopped_and_leaves_no_file(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> Any:
        yield conversation(("Ann", "hi"), ("Bob", "hey"))
        raise KeyboardInterrupt

    monkeypatch.setattr("wolf_chatbox.cli.data.read_conversations", interrupted)
    assert cli("data", "convert", "example", "-o", "out.jsonl") == (130, "", "error: stopped.\n")
    assert list(Path().iterdir()) == []


def test_converting_there_and_back_loses_nothing(cli: Any) -> None:
    source = str(FIXTURES / "telegram/one_chat.input.json")
    for form, format in (("conversations", "conversations"), ("openai", "messages"), ("sharegpt", "messages")):
        code, _, err = cli("data", "convert", source, "-o", f"{form}.jsonl", "--to", form, "--join-within", "0")
        assert code == 0
        assert "6 turns read = 4 kept + 2 dropped" in err
        back = list(read_conversations(f"{form}.jsonl", ReadConfig(format=format)))  # type: ignore[arg-type]
        whole = list(read_conversations(source, ReadConfig()))
        if form == "conversations":
            assert back == whole
        assert [(turn.speaker, turn.text) for each in back for turn in each.turns] == [
            (turn.speaker, turn.text) for each in whole for turn in each.turns
        ]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])  # a file is written
@given(
    st.lists(
        st.lists(
            st.tuples(
                st.sampled_from(["Ann", "user", "assistant", "system", "human", "gpt", "Bob Boat"]),
                st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip)
                | st.just("a <|endoftext|> b\nc"),
            ),
            min_size=1,
        ),
        min_size=1,
    ),
    st.sampled_from([None, "Ann", "assistant"]),
)
def test_who_says_what_comes_back_from_every_form(
    tmp_path: Path, talks: list[list[tuple[str, str]]], persona: str | None
) -> None:
    conversations = [conversation(*((speaker, text.strip()) for speaker, text in talk)) for talk in talks]
    for form, format in (("openai", "messages"), ("sharegpt", "messages"), ("raw", "raw")):
        path = tmp_path / form
        with path.open("w", encoding="utf-8") as file:
            export(conversations, form, file, persona)
        back = list(read_conversations(path, ReadConfig(format=format)))  # type: ignore[arg-type]
        assert [len(each.turns) for each in back] == [len(each.turns) for each in conversations]
        if form != "raw":
            assert [each.turns for each in back] == [each.turns for each in conversations]


def test_a_card_is_the_personas_system_message(tmp_path: Path) -> None:
    told = {"Ann": "Ann knows {{user}}."}
    talks = [
        Conversation((Turn("Ann", "Ahoy, {{user}}."), Turn("Bob", "ho")), briefings=told),
        Conversation((), briefings=told),
    ]
    for form, who, what in (("openai", "role", "content"), ("sharegpt", "from", "value")):
        with (tmp_path / form).open("w") as file:
            assert export(talks, form, file, "Ann") == (1, 2)
        [line] = (tmp_path / form).read_text().splitlines()
        [messages] = json.loads(line).values()
        assert [message[what] for message in messages] == ["Ann knows user.", "Ahoy, user.", "ho"]
        assert messages[0][who] == "system"
        with (tmp_path / form).open("w") as file:
            export(talks, form, file, "Bob")
        assert "knows" not in (tmp_path / form).read_text(), "who is somebody else does not know it"


def test_the_persona_is_the_assistant(cli: Any) -> None:
    cli("data", "convert", "example", "-o", "out.jsonl", "--to", "openai", "--persona", "Grimbold")
    first = json.loads(Path("out.jsonl").read_text().splitlines()[0])["messages"]
    assert {message["role"] for message in first if message.get("name") == "Grimbold"} == {"assistant"}
    assert {message["role"] for message in first if message.get("name") != "Grimbold"} == {"user"}


def test_a_persona_is_found_under_its_own_name(cli: Any) -> None:
    code, _, _ = cli(
        "data",
        "convert",
        "example",
        "-o",
        "out.jsonl",
        "--to",
        "openai",
        "--persona",
        "grimbold",
        "--pseudonyms",
        "key.json",
    )
    assert code == 0
    name = json.loads(Path("key.json").read_text())["speakers"]["Grimbold"]
    messages = [each for line in Path("out.jsonl").read_text().splitlines() for each in json.loads(line)["messages"]]
    assert sum(each["role"] == "assistant" and each["name"] == name for each in messages) == 266
    code, _, err = cli("data", "convert", "example", "-o", "no.jsonl", "--to", "openai", "--persona", "Grimbald")
    assert (code, err.startswith("error: persona 'Grimbald': no such speaker. Did you mean Grimbold?")) == (
        1,
        True,
    )


def test_the_classic_form(cli: Any) -> None:
    cli("data", "convert", "example", "-o", "raw.txt", "--to", "raw")
    back = list(read_conversations("raw.txt"))
    assert sum(len(each.turns) for each in back) == 566


def test_the_classic_form_keeps_spaces_and_turns(cli: Any) -> None:
    said = ["two  spaces", "全角\u3000空白", "two\nlines", "an<|endoftext|>end"]
    Path("own.jsonl").write_text(
        json.dumps({"group": "g", "turns": [{"speaker": "Ann", "text": text} for text in said]}) + "\n"
    )
    cli("data", "convert", "own.jsonl", "-o", "raw.txt", "--to", "raw")
    (back,) = read_conversations("raw.txt")
    assert [turn.text for turn in back.turns] == ["two  spaces", "全角\u3000空白", "two lines", "an end"]


def test_cleaning_while_converting(cli: Any) -> None:
    Path("chat.txt").write_text("13.6.2018, 21:25 - Ann: write to me@example.org\n13.6.2018, 21:26 - Bob: Thanks Ann\n")
    code, _, err = cli(
        "data",
        "convert",
        "chat.txt",
        "-o",
        "out.jsonl",
        "--scrub",
        "--pseudonyms",
        "key.json",
        "--report",
        "report.json",
    )
    report = json.loads(Path("report.json").read_text())
    assert (report["read"], report["kept"], report["joined"], report["dropped"]) == (2, 2, 0, {})
    assert report["replaced"]["email"] == 1
    assert "example.org" not in Path("report.json").read_text()
    assert code == 0
    assert "replaced: 1 (email)" in err
    assert "replaced: 1 (mentioned name)" in err
    (found,) = parse_conversations(Path("out.jsonl").read_text().splitlines(), "out")
    assert found.turns[0].text == "write to [email]"
    names = json.loads(Path("key.json").read_text())["speakers"]
    assert found.turns[1] == Turn(names["Bob"], f"Thanks {names['Ann']}", found.turns[1].time)
    assert "Ann" not in Path("out.jsonl").read_text()
