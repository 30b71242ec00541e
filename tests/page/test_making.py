"""Characters in the making: what is dropped, the queue, and the process that trains, without a browser."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs import weights
from wolf_chatbox.cli import app
from wolf_chatbox.config import CleanConfig, ReadConfig, TrainConfig
from wolf_chatbox.errors import ChatError, ConfigError, DataError, FormatError
from wolf_chatbox.importers.second_look.look import Unclaimed, kinds_of
from wolf_chatbox.page.away import away
from wolf_chatbox.page.making import background, choosing, worker
from wolf_chatbox.page.making.contents import compare, look
from wolf_chatbox.page.making.making import INTERRUPTED, UNSCORED, Making, alive, read_json, read_making
from wolf_chatbox.page.making.queue import Queue
from wolf_chatbox.page.making.story import Story
from wolf_chatbox.page.pages import new
from wolf_chatbox.page.pages.new.privacy import forget_name
from wolf_chatbox.page.pages.new.steps import NewCharacter
from wolf_chatbox.page.pages.new.training import now_said
from wolf_chatbox.page.workspace import Workspace
from wolf_chatbox.training.journal import Journal
from wolf_chatbox.training.progress import Progress, Step, Updated
from wolf_chatbox.words import FOLDER, words_of

PATIENCE = 60.0
BLANKS = re.findall(r"{(\w+)}", (FOLDER / "en.yaml").read_text(encoding="utf-8"))
STUB = """
import os, sys, time
from pathlib import Path
from wolf_chatbox.page.making import worker
from wolf_chatbox.page.making.queue import Queue

def work(making):
    log = making.folder.parent / "log"
    with log.open("a") as file:
        file.write(f"begin {making.name}\\n")
    while (making.folder / "hold").exists():
        time.sleep(0.01)
    with log.open("a") as file:
        file.write(f"end {making.name}\\n")
    return True, ""

worker.work = work
worker.NICE = 0
worker.Queue = lambda workspace: Queue(workspace, [sys.executable, __file__])
worker.main(Path(sys.argv[1]))
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    found = Workspace(tmp_path / "home")
    found.make()
    return found


@pytest.fixture
def queue(workspace: Workspace, tmp_path: Path) -> Queue:
    """A queue whose trainings only write into a log that they began and ended."""
    stub = tmp_path / "stub.py"
    stub.write_text(STUB)
    return Queue(workspace, [sys.executable, str(stub)])


def draft(queue: Queue, name: str = "Ann", **about: Any) -> Making:
    return queue.begin(name=name, **about)


def settings(queue: Queue, name: str = "Ann") -> dict[str, Any]:
    return {"data": ["example"], "model": "smollm2-135m", "output": str(queue.workspace.characters / name)}


def test_a_draft_without_a_name_goes_by_its_first_file(queue: Queue) -> None:
    making = queue.begin()
    assert (making.name, making.first_file) == ("", "")
    making.files.mkdir()
    for name in ("b.txt", "a chat.txt", ".writing"):
        (making.files / name).write_text("Ann: hi")
    assert making.first_file == "a chat.txt"


def until(queue: Queue, making: Making, *states: str) -> Making:
    """Wait until a making is in one of these states."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        now = queue.get(making.id)
        if now is not None and now.state in states and (now.state != "running" or now.pid):
            return now
        time.sleep(0.02)
    raise AssertionError(f"{making.name} is {queue.get(making.id)}; {making.log.read_text()}")


# What is in the files


CHAT = "".join(
    f"[2024-05-{day:02}, 18:{minute:02}:00] {who}: {text}\n"
    for day in range(1, 8)
    for minute, (who, text) in enumerate(
        [
            ("Ann Pond", "did the goose get its bread today?"),
            ("+44 20 7946 0958", "yes, and write to bob@example.org when you are there"),
            ("Ann Pond", "Bob is my favourite goose"),
            ("Bob", "honk honk, said the goose in the pond"),
        ]
    )
)


def whatsapp(path: Path) -> Path:
    lines = CHAT.replace("[2024-05-0", "0").replace("]", " -").replace(", 18:", "/05/2024, 18:").replace(":00 -", " -")
    path.write_text(lines, encoding="utf-8")
    return path


def test_files_are_looked_at_with_people_and_previews(tmp_path: Path) -> None:
    path, told = whatsapp(tmp_path / "chat.txt"), list[int]()
    found = look([str(path)], ReadConfig(), CleanConfig(scrub=True, pseudonyms=tmp_path / "key"), told.append)
    assert found.inspection["kept"] == 28
    assert told[-1] == 28
    people = {one["name"]: one for one in found.people}
    assert set(people) == {"Ann Pond", "+44 20 7946 0958", "Bob"}, "shown under their own names"
    assert people["+44 20 7946 0958"]["scrubbed"] == "[phone]"
    assert people["Bob"]["lines"] == ["honk honk, said the goose in the pond"] * 2
    turned = found.previews["scrub"][0]
    assert ("[email]", True) in turned["after"]
    assert ("bob@example.org", True) in turned["before"]
    assert found.replaced["email"] == 7
    assert any(turned["speakers"][0] != turned["speakers"][1] for turned in found.previews["pseudonyms"])
    assert not (tmp_path / "key").exists(), "a look leaves no key"


def test_a_file_that_cannot_be_read_does_not_spoil_the_others(tmp_path: Path) -> None:
    good, bad = whatsapp(tmp_path / "chat.txt"), tmp_path / "bad.zip"
    bad.write_bytes(b"no zip")
    found = look([str(bad), str(good)], ReadConfig(), CleanConfig())
    assert found.data == [str(good)]
    assert "not a readable zip" in found.failed[str(bad)]
    assert found.skipped == []
    folder = tmp_path / "files"
    folder.mkdir()
    whatsapp(folder / "chat.txt")
    (folder / "shopping.txt").write_text("milk\nbread\n")
    assert look([str(folder)], ReadConfig(), CleanConfig()).skipped == ["shopping.txt"]
    with pytest.raises(DataError, match=r"^bad\.zip: not a readable zip"):
        look([str(bad)], ReadConfig(), CleanConfig())


def test_an_unknown_format_is_told_apart_from_what_is_broken(tmp_path: Path, queue: Queue) -> None:
    making = draft(queue)
    making.files.mkdir()
    (making.files / "shopping.txt").write_text("milk\nbread\n")
    with pytest.raises(FormatError) as refused:
        asyncio.run(away(background.look, making.folder))
    assert str(tmp_path) not in str(refused.value)
    assert isinstance(refused.value, Unclaimed)
    assert kinds_of(refused.value.looks) == {"shopping.txt": "text"}
    chat = whatsapp(tmp_path / "chat.txt")
    found = look([str(making.files), str(chat)], ReadConfig(), CleanConfig())
    assert found.failed == {str(making.files): ""}
    assert found.seen == {"shopping.txt": "text"}


@given(st.text(), st.text())
def test_a_comparison_loses_nothing(before: str, after: str) -> None:
    one, other = compare(before, after)
    assert "".join(text for text, _ in one) == before
    assert "".join(text for text, _ in other) == after
    assert [text for text, changed in one if not changed] == [text for text, changed in other if not changed]


# What is chosen


def test_the_settings_are_those_that_were_chosen(queue: Queue, tiny_gpt2: Path) -> None:
    making = draft(
        queue,
        "Bob",
        persona="+1 23",
        scrub=True,
        pseudonyms=True,
        base=str(tiny_gpt2),
        more={"epochs": 2},
        repair=False,
    )
    people = [{"name": "+1 23", "scrubbed": "[phone] 2"}]
    found = choosing.settings_of(making, queue.workspace.characters, {"data": ["a.txt"], "people": people})
    assert found == {
        "data": ["a.txt"],
        "model": str(tiny_gpt2),
        "output": str(queue.workspace.characters / "Bob"),
        "persona": "[phone] 2",
        "scrub": True,
        "pseudonyms": str(making.pseudonyms),
        "max_tokens": 256,  # as long as that model's context
        "epochs": 2,
    }


def test_the_base_model_to_begin_with_speaks_the_language() -> None:
    assert [choosing.bases(language)[0].alias for language in ("en", "ja", "fr")] == [
        "smollm2-135m",
        "gemma3-270m",
        "gemma3-270m",
    ]
    assert all(base.recommended == (base.alias == "gemma3-270m") for base in choosing.bases("ja"))


def test_the_form_has_settings_of_learning_and_memory_as_they_are_declared() -> None:
    shown = choosing.more_settings()
    assert {"epochs", "lr", "optimizer", "lora_rank"} <= set(shown)
    assert not {"data", "output", "beta", "save_every"} & set(shown)
    assert all(setting.help for setting in shown.values())


def test_the_command_line_reads_the_same_settings(
    queue: Queue, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from wolf_chatbox.cli import train as command

    making = draft(
        queue, "雪 女", persona="Mira", scrub=True, base="smollm2-135m", more={"lr": 1e-4, "languages": ["en"]}
    )
    found = choosing.settings_of(making, queue.workspace.characters, {"data": ["example", str(tmp_path / "b c.txt")]})
    making.write_settings(found)
    given: list[TrainConfig] = []
    monkeypatch.setattr(command, "fine_tune", lambda config, *more: given.append(config) or 0)
    monkeypatch.setattr(app, "config", app.config)  # which --config changes
    app.meta(["--config", str(making.settings), "train"], exit_on_error=False, print_error=False)
    assert given == [making.read_settings()]
    assert given[0].persona == "Mira"
    assert given[0].clean.scrub
    assert given[0].lr == 1e-4


def test_settings_that_do_not_fit_are_refused_before_anything_waits(queue: Queue) -> None:
    making = draft(queue)
    with pytest.raises(ConfigError, match="epochs"):
        queue.add(making, settings(queue) | {"epochs": 0})
    assert queue.waiting() == []
    assert not making.settings.exists()


def test_every_text_of_the_steps_is_in_the_words() -> None:
    sources = [path.read_text(encoding="utf-8") for path in Path(new.__file__).parent.glob("*.py")]
    asked = {key for source in sources for key in re.findall(r'\bt\(\s*"([\w.]+)"', source)}
    words = words_of("en")
    assert len(asked) > 50
    for key in asked:
        assert words(f"new.{key}", **dict.fromkeys(BLANKS, "x"))


def test_whoever_is_hidden_gives_no_name_to_the_folder(queue: Queue) -> None:
    for name, kept in (("Ann-Pond", ""), ("The goose", "The goose")):
        making = draft(queue, name, persona="Ann Pond")
        forget_name(cast(NewCharacter, SimpleNamespace(must=lambda making=making: making, change=making.change)))
        now = queue.get(making.id)
        assert now is not None
        assert now.about["name"] == kept


def test_what_an_earlier_start_reported_is_not_what_happens_now(queue: Queue) -> None:
    page, story = cast(NewCharacter, SimpleNamespace(t=lambda key: key)), Story()
    story.add([(10.0, Step("writing the model", "writing"))])
    for since, said in ((9.0, "working.writing"), (11.0, "working.starting")):
        assert now_said(page, replace(draft(queue), state="running", since=since, pid=1), story) == said


# The queue


@pytest.mark.slow
def test_one_is_trained_at_a_time_in_order_and_no_page_is_needed(queue: Queue, workspace: Workspace) -> None:
    makings = [draft(queue, name) for name in ("Cy", "Ann", "Bob")]
    (makings[0].folder / "hold").touch()
    for making in makings:
        queue.add(making, settings(queue, making.name))
    until(queue, makings[0], "running")
    assert [making.name for making in queue.waiting()] == ["Ann", "Bob"]
    assert queue.running() is not None
    with pytest.raises(ChatError, match="being trained"):
        queue.remove(makings[0])
    queue.go()  # a second page
    queue.stop(makings[2])
    queue.add(queue.get(makings[2].id) or makings[2])
    (makings[0].folder / "hold").unlink()
    for making in makings:
        until(queue, making, "done")
    queue.settle()
    log = (workspace.making / "log").read_text().split("\n")
    assert log == ["begin Cy", "end Cy", "begin Ann", "end Ann", "begin Bob", "end Bob", ""]


@pytest.mark.slow
def test_two_tabs_that_start_it_start_one_training(queue: Queue, workspace: Workspace) -> None:
    making = draft(queue)
    (making.folder / "hold").touch()
    queue.add(making, settings(queue))
    until(queue, making, "running")
    queue.add(making, settings(queue, "Bob"))  # the second tab knows nothing of it
    now = queue.get(making.id)
    assert now is not None
    assert (now.state, now.pid is not None, now.output) == ("running", True, workspace.characters / "Ann")
    (making.folder / "hold").unlink()
    until(queue, making, "done")
    queue.settle()
    assert (workspace.making / "log").read_text().split("\n") == ["begin Ann", "end Ann", ""]


@pytest.mark.slow
def test_a_killed_training_is_interrupted_and_the_next_one_begins(queue: Queue) -> None:
    first, second = draft(queue, "Ann"), draft(queue, "Bob")
    (first.folder / "hold").touch()
    for making in (first, second):
        queue.add(making, settings(queue, making.name))
    pid = until(queue, first, "running").pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    now = until(queue, first, "failed")
    assert (now.error, now.pid) == (INTERRUPTED, None)
    queue.go()
    until(queue, second, "done")
    (first.folder / "hold").unlink()
    queue.add(now)
    until(queue, first, "done")
    queue.settle()


def test_a_training_that_cannot_begin_says_why(workspace: Workspace) -> None:
    queue = Queue(workspace, [sys.executable, "-c", "raise SystemExit('no such library')"])
    making = draft(queue)
    queue.add(making, settings(queue))
    queue.settle()
    queue.go()
    now = queue.get(making.id)
    assert now is not None
    assert (now.state, now.error) == ("failed", "no such library")


def test_another_process_of_the_same_number_is_not_the_training(queue: Queue) -> None:
    me = psutil.Process()
    assert alive({"pid": me.pid, "began": me.create_time()}) == me.pid
    assert alive({"pid": me.pid, "began": me.create_time() - 3600}) is None
    making = draft(queue)
    making.note("running")
    (making.folder / "process.json").write_text(json.dumps({"pid": me.pid, "began": 1.0}))
    now = read_making(making.folder)
    assert now is not None
    assert (now.state, now.error, now.pid) == ("failed", INTERRUPTED, None)


def test_what_is_removed_is_the_making_alone(queue: Queue, workspace: Workspace) -> None:
    making, other = draft(queue, "Ann"), draft(queue, "Bob")
    making.write_settings(settings(queue))
    trained, saved = workspace.characters / "Ann", workspace.characters / "Ann.unfinished" / "state-000001"
    for folder in (trained, saved):
        folder.mkdir(parents=True)
        (folder / "file").touch()
    (saved.parent / "mine.txt").touch()
    making.note("stopped")
    queue.remove(making)
    assert [each.id for each in queue.all()] == [other.id]
    assert (trained / "file").exists()
    assert [path.name for path in saved.parent.iterdir()] == ["mine.txt"]
    assert sorted(path.name for path in workspace.making.iterdir()) == [other.id]


@pytest.mark.parametrize("id", ["", "..", "../chats", "a/b", ".hidden", "é", "20260101-000000-abcdef"])
def test_what_is_no_making_is_none(queue: Queue, id: str) -> None:
    assert queue.get(id) is None


# The process that trains


@pytest.fixture
def trained(queue: Queue, config: Callable[..., TrainConfig], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Trains in this process, as the worker does; stops by itself after an update."""
    monkeypatch.setattr(worker, "score", lambda config, journal: "")

    def begin(name: str) -> Making:
        given = config(output=queue.workspace.characters / name)
        making = draft(queue, name)
        plain = {"data": list(given.data), "model": given.model, "output": str(given.output), "epochs": 2}
        making.write_settings(plain | {"max_tokens": 64, "lr": 5e-3, "max_new_tokens": 4})
        return making

    return begin


class Stopping(Journal):
    def tell(self, progress: Progress) -> None:
        super().tell(progress)
        if isinstance(progress, Updated) and progress.update == 5:
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.usefixtures("fp32")
def test_stopped_and_gone_on_ends_as_on_the_command_line(
    trained: Callable[[str], Making], monkeypatch: pytest.MonkeyPatch
) -> None:
    makings = [trained(name) for name in ("whole", "page", "command")]
    assert worker.work(makings[0]) == (True, "")
    with monkeypatch.context() as patch:
        patch.setattr(worker, "Journal", Stopping)
        for making in makings[1:]:
            assert worker.work(making) == (False, "")
    assert replace(makings[1], state="stopped").fixed
    assert worker.work(makings[1]) == (True, "")
    monkeypatch.setattr(app, "config", app.config)  # which --config changes
    app.meta(["--config", str(makings[2].settings), "train", "--resume"], exit_on_error=False, print_error=False)
    ends = [weights(making.output or Path()) for making in makings]
    for end in ends[1:]:
        assert all(end[name].equal(tensor) for name, tensor in ends[0].items())
    story = Story()
    story.follow(makings[1].journal)
    whole = Story()
    whole.follow(makings[0].journal)
    assert story.losses == whole.losses
    assert story.perplexities == whole.perplexities
    assert [each.update for each in story.evaluations] == [0, *(each.update for each in whole.evaluations[1:])]


def test_a_look_and_a_plan_are_made_of_the_folder_alone(trained: Callable[[str], Making]) -> None:
    making, told = trained("Ann"), list[Any]()
    making = making.change(example="example", repair=True)
    background.look(making.folder, told.append)
    kept = (read_json(making.look) or {})["inspection"]["kept"]
    assert told[-1] == kept == 566
    found = background.plan(making.folder, told.append)
    assert min(found[name] for name in ("seconds", "memory", "disk", "updates", "learnt")) > 0
    assert "reading" in told
    assert making.output is not None
    assert not making.output.exists(), "nothing is trained"
    with pytest.raises(DataError, match="not there any more"):
        background.plan(making.folder.with_name("gone"), told.append)


def test_the_worker_notes_how_it_ended(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    def ends(with_what: Any) -> tuple[str, str]:
        def work(making: Making) -> Any:
            if isinstance(with_what, BaseException):
                raise with_what
            return with_what

        making = draft(queue)
        making.note("waiting")
        monkeypatch.setattr(worker, "work", work)
        worker._serve(making)
        now = read_making(making.folder)
        assert now is not None
        return now.state, now.error

    assert ends((True, "")) == ("done", "")
    assert ends((True, UNSCORED)) == ("done", "unscored")
    assert ends((False, "")) == ("stopped", "")
    assert ends(KeyboardInterrupt()) == ("stopped", "")
    assert ends(DataError("a.txt: no.")) == ("failed", "a.txt: no.")
    assert ends(ZeroDivisionError("by 0")) == ("failed", "ZeroDivisionError: by 0")
