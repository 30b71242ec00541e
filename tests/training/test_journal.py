"""What a run reports, as lines of JSON, and the story that they tell."""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wolf_chatbox.config import TrainConfig
from wolf_chatbox.conversation import Turn
from wolf_chatbox.page.making.story import Story
from wolf_chatbox.training.journal import Begun, Entry, Journal, from_json, read_journal, short, to_json
from wolf_chatbox.training.loop import train
from wolf_chatbox.training.progress import Evaluated, Notice, Progress, Reply, Step, Updated


def test_what_a_run_reports_is_read_as_it_was(config: Callable[..., TrainConfig], tmp_path: Path) -> None:
    journal, told = Journal(tmp_path / "journal.jsonl", iter(range(10**6)).__next__), list[Progress]()

    def tell(progress: Progress) -> None:
        told.append(progress)
        journal.tell(progress)

    train(config(), tell)
    entries, end = read_journal(journal.path)
    assert [entry.event for entry in entries] == [short(each) for each in told]
    assert [entry.time for entry in entries] == list(range(len(told)))
    assert end == journal.path.stat().st_size
    assert {type(entry.event) for entry in entries} >= {Step, Begun, Updated, Evaluated}
    replies = [entry.event.replies for entry in entries if isinstance(entry.event, Evaluated)]
    assert len(replies) == 3
    assert all(replies), "the base model's first, then those after each epoch"
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600


@given(st.text(), st.text())
def test_any_words_stay_one_line(text: str, name: str) -> None:
    reply = Reply((Turn(name, text),), Turn(name, text), text)
    for event in (Notice(text), Step(text, name), Evaluated(1, 0.5, None, replies=[reply])):
        line = to_json(Entry(1.5, event))
        assert "\n" not in line
        assert from_json(line.encode("utf-8", "surrogatepass").decode("utf-8", "surrogatepass")) == Entry(1.5, event)


def test_a_journal_is_followed_line_by_line(tmp_path: Path) -> None:
    path, events = tmp_path / "journal.jsonl", [Notice("a\u2028b"), Step("c", "d"), Notice("e")]
    assert read_journal(path) == ([], 0)
    lines = [to_json(Entry(0.0, event)) + "\n" for event in events]
    path.write_text(lines[0] + lines[1][:9], encoding="utf-8")
    first, place = read_journal(path)
    assert [entry.event for entry in first] == events[:1]
    path.write_text(lines[0] + lines[1] + "no JSON\n" + '{"time": 1, "event": "Later"}\n' + lines[2], encoding="utf-8")
    rest, place = read_journal(path, place)
    assert [entry.event for entry in rest] == events[1:]
    path.write_text(lines[2], encoding="utf-8")  # it began anew
    assert [entry.event for entry in read_journal(path, place)[0]] == events[2:]


def updated(update: int, seconds: float = 2.0, **changes: Any) -> Updated:
    values = {"updates": 10, "epoch": update / 5, "loss": 1.0, "norm": 1.0, "learning_rate": 0.1, "tokens": 100}
    return Updated(update=update, seconds=seconds, learnt=10, **(values | changes))


def test_a_story_tells_what_is_left() -> None:
    begun = Begun("m", 1, 1, "no", "cpu", 1, 0.1, 2, 10, 0, 50, {}, ("a notice",))
    story = Story()
    story.add([Entry(0, Step("x", "reading"))])
    assert (story.step, story.left, story.share) == (Step("x", "reading"), None, 0.0)
    story.add([Entry(1, begun), Entry(1, Step("x", "validating")), Entry(4, Evaluated(0, 0, 2.0, 7.4))])
    story.add([Entry(10, updated(1, 20.0)), *(Entry(10, updated(at)) for at in (2, 3, 4))])
    assert story.speed == pytest.approx(400 / 26)
    assert story.left == pytest.approx(6 * 2 + 2 * 3), "the slow first update does not count; each epoch is validated"
    assert story.notices == ["a notice"]
    story.add([Entry(11, updated(5, loss=float("nan")))])
    assert [update for update, _ in story.losses] == [1, 2, 3, 4]
    story.add([Entry(20, replace(begun, done=3))])
    assert (story.update, [update for update, _ in story.losses]) == (3, [1, 2, 3])
    assert story.left is None
