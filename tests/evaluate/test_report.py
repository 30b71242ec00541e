"""The reports: the terminal's table, the page, JSON, the model card."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from inspect import signature
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from conftest import ROOT
from judged import results, study, vote
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.errors import CheckpointError
from wolf_chatbox.evaluate.entries import Exposure, Probe
from wolf_chatbox.evaluate.judging.pairs import Pair, Reply, pairs
from wolf_chatbox.evaluate.judging.ranking import summary
from wolf_chatbox.evaluate.report.card import to_json, with_quality, write_beside
from wolf_chatbox.evaluate.report.details import blocks
from wolf_chatbox.evaluate.report.page import to_html
from wolf_chatbox.evaluate.report.plots import lines, strip
from wolf_chatbox.evaluate.report.table import show
from wolf_chatbox.evaluate.report.verdict import best, compare, interval, number
from wolf_chatbox.scene import Scene
from wolf_chatbox.screen import Screen
from wolf_chatbox.training.curves import Curves

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=y> \u202egnidih &amp; {{ 7 * 7 }}"


class Tags(HTMLParser):
    """The tags of a page, with their attributes, and its JSON."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def asked_of(page: str) -> Any:
    [found] = re.findall(r'<script type="application/json" id="pairs">(.*?)</script>', page, re.DOTALL)
    return json.loads(found)


def measures() -> dict[str, Any]:
    return {measure["name"]: measure for measure in results()["measures"]}


def test_better_is_lower_higher_or_nearer_to_the_humans() -> None:
    fit, alike, size = (measures()[name] for name in ("fit", "alike", "size"))
    for measure in (fit, alike):
        good, poor = (compare(measure, name, "base", "humans") for name in ("good", "poor"))
        assert (good and good.better and good.sure) is True
        assert (poor and not poor.better and poor.sure) is True
    plain = compare(size, "good", "base", "humans")
    assert plain is not None
    assert plain.better is None
    assert not plain.sure
    assert compare(fit, "good", "humans", "humans") is None
    assert best(results(), fit) == best(results(), alike) == "good"
    assert best(results(), size) is None


def test_a_difference_that_may_be_chance_is_not_marked() -> None:
    fit = measures()["fit"]
    fit["p"] = {"good": {"base": 0.3, "poor": 0.001}}
    verdict = compare(fit, "good", "base", "humans")
    assert verdict is not None
    assert verdict.better
    assert not verdict.sure
    assert best(results() | {"measures": [fit]}, fit) is None
    assert "▲" not in printed(results() | {"measures": [fit]}, 120).splitlines()[2]


def test_figures_are_written_as_people_read_them() -> None:
    copied = measures()["copied"]
    assert interval(copied, copied["figures"]["poor"]) == "28–32"
    assert interval(copied, {"low": 0.0, "high": 0.0}) == ""
    assert number(copied, 0.2) == "20 %"
    below = measures()["fit"]
    assert interval(below, {"low": -0.01, "high": 0.5}) == "-0.01 to 0.50"
    assert number(below, -0.0001) == "0.00"
    assert (number(below, None), interval(below, below["figures"]["humans"])) == ("—", "")


def printed(found: Any, width: int, terminal: bool = True) -> str:
    file = StringIO()
    show(found, Screen(file=file, width=width, force_terminal=terminal, color_system=None))
    return file.getvalue()


@pytest.mark.parametrize("width", [40, 80, 120])
def test_the_table_fits_the_terminal_and_is_whole(width: int) -> None:
    shown = printed(results(), width)
    assert max(map(len, shown.splitlines())) <= width
    assert "…" not in shown
    for text in ("good", "poor", "base", "humans", "Alike", "0.98–1.02", "29 % ▲", "10 % ▼"):
        assert text in shown
    assert "Nothing" not in shown  # nobody has a figure of it


def test_the_table_is_whole_in_a_log_and_obeys_no_names() -> None:
    found = results()
    found["entries"][0]["name"] = name = "\x1b[2J" + "long" * 40
    for measure in found["measures"]:
        measure["figures"][name] = measure["figures"].pop("good")
    shown = printed(found, 80, terminal=False)
    assert "long" * 40 in shown
    assert "\x1b" not in shown


def test_the_page_has_everything_and_asks_no_other_host() -> None:
    found = results(samples=[f"sample {at}" for at in range(60)])
    found["votes"] = summary(
        [vote("good", "base", "first", at, voter) for voter in ("ann", "judge:m") for at in (1, 2)]
    )
    page = to_html(found, pairs(study(), 8))
    for text in ("What alike means.", "a notice", "a chat", "kappa", "judge:m", "Runs compared", "Grimbold"):
        assert text in page
    assert page.count('<article class="talk"') == 40
    tags = Tags(page).tags
    assert {tag for tag, _ in tags} >= {"svg", "circle", "table", "details"}
    assert not [attributes for _, attributes in tags if {"src", "srcset", "action", "data"} & attributes.keys()]
    assert all((attributes.get("href") or "#").startswith("#") for _, attributes in tags)
    assert "somebody" not in page  # nor does it name a folder
    assert "url(" not in page.split("</style>")[0]
    assert "@import" not in page
    ids = {attributes["id"] for _, attributes in tags if "id" in attributes}
    assert {attributes["href"] for tag, attributes in tags if tag == "a"} <= {f"#{name}" for name in ids}


def test_hostile_text_is_shown_and_not_obeyed() -> None:
    found = results({HOSTILE: {HOSTILE: HOSTILE}, "list": [HOSTILE]}, [HOSTILE], HOSTILE)
    [pair] = pairs(study(1, 1, ("good", "base")))
    page = to_html(found, [Pair(pair.context, HOSTILE, Reply(HOSTILE, HOSTILE), Reply("base", ""))])
    plain = to_html(results({"x": {"y": "z"}, "list": ["w"]}, ["v"]), [pair])
    assert [tag for tag, _ in Tags(page).tags] == [tag for tag, _ in Tags(plain).tags]
    assert "\u202e" not in page
    assert "[U+202E]" in page
    assert "{{ 7 * 7 }}" in page
    assert asked_of(page)[0]["a"][0]["content"] == HOSTILE  # as it is, for the votes


def test_the_page_votes_on_the_same_pairs_in_the_form_of_the_votes() -> None:
    asked = pairs(study(), 5)
    for pair, shown in zip(asked, asked_of(to_html(results(), asked)), strict=True):
        assert [shown[side][0]["content"] for side in "ab"] == [pair.first.text, pair.second.text]
        assert shown["by"] == [pair.first.entry, pair.second.entry]
        assert shown["conversation"] == pair.conversation
    assert 'id="ballot"' not in to_html(results())


def test_the_page_has_the_training_curves_of_its_runs() -> None:
    assert "Training" not in to_html(results(), [], {"good": Curves()})
    curves = Curves(loss=[(1, 4.0), (2, None), (3, 2.0)], learning_rate=[(1, 0.1), (2, 0.1)])
    page = to_html(results(), [], {"good": curves, HOSTILE: curves})
    assert page.count('<figure class="plot"') == 2
    assert 'aria-label="Learning rate, from 0 to 0.1"' in page
    assert "Held-out loss" not in page
    assert "<script>alert" not in page


def test_a_page_of_nothing_is_a_page() -> None:
    found = results() | {"measures": [], "samples": [], "chats": {}, "persona": None, "notices": []}
    found["entries"] = found["entries"][2:]
    assert "How good is each character?" in to_html(found)


def test_points_lie_within_the_plot() -> None:
    marks = strip(measures()["copied"], ["good", "poor", "base", "humans"]).marks
    for mark in marks:
        assert mark.low is not None
        assert mark.at is not None
        assert mark.high is not None
        assert 0 <= mark.low <= mark.at <= mark.high <= 100
    assert marks[1].at > marks[0].at  # type: ignore[operator]
    assert [mark.name for mark in strip(measures()["fit"], ["good", "humans"]).marks] == ["good"]
    same = measures()["size"] | {"figures": {"good": {"value": 3.0, "low": None, "high": None}}}
    assert strip(same, ["good"]).marks[0].at == 50


def test_a_line_with_a_gap_is_two_pieces() -> None:
    drawn = lines({"a": [0.0, 1.0, None, 0.5], "b": [1.0]})
    assert drawn.lines[0].pieces == ["0.00,100.00 33.33,0.00", "100.00,50.00"]
    assert (drawn.least, drawn.most, drawn.first, drawn.last) == ("0", "1", "1", "4")
    assert lines({"a": [0.25, 2000.0]}).most == "2,000"


@pytest.mark.parametrize(
    ("details", "kinds"),
    [
        ({"told as": {"a": {"a": 3, "b": 1}, "b": {"b": 2, "": 1}}}, ["matrix"]),
        ({"counts": {"a": {"a": 3, "b": 1}, "b": {"b": 2, "": 1}}}, ["table"]),
        ({"a": [1, 2, None, 4, 5, 6, 7, 8], "b": [0.5, 1, 2]}, ["lines"]),
        ({"a": [1, 2, None], "b": [0.5, 1, 2]}, ["table"]),
        ({"a": [[0, 1], [0.5, 0.2]], "b": [[0, 0]]}, ["lines"]),
        ({"a": {"x": 1, "y": None}, "b": {"x": 2}}, ["table"]),
        ([{"words": 3, "text": "t"}, {"words": 2}], ["table"]),
        ({"a": 1, "b": "two"}, ["table"]),
        ([["a", 1], ["b", 2]], ["table"]),
        (["a", "b"], ["list"]),
        ({"share": 0.5, "deep": {"list": ["a"]}}, ["table", "heading", "list"]),
        ({"none": {}, "empty": [], "nothing": None}, ["table"]),
        ({}, []),
        (None, []),
    ],
)
def test_details_are_laid_out_by_their_shape(details: Any, kinds: list[str]) -> None:
    found = list(blocks(details))
    assert [block.kind for block in found] == kinds


def test_a_matrix_shows_the_shares_of_its_rows() -> None:
    [block] = blocks({"a": {"a": 3, "b": 1}, "b": {"b": 0}}, title="told")
    assert block.value.columns == ["a", "b"]
    assert block.value.rows == [[("3", 0.75), ("1", 0.25)], [("0", 0.0), ("0", 0.0)]]


def test_what_each_entry_has_stands_together() -> None:
    turns = [0.1] * 10
    details = {name: {"turns": turns, "deep": {"x": {"y": "z"}, "w": {"y": "z"}}} for name in ("good", "base")}
    found = list(blocks({"entries": details}, ["good", "base", "humans"]))
    assert [(block.kind, block.title) for block in found] == [
        ("lines", "turns"),
        ("heading", "deep"),
        ("table", "good"),
        ("table", "base"),
    ]
    assert [line.name for line in found[0].value.lines] == ["good", "base"]
    told = {name: {"lines": 3, "told as": {"Ann": {"Ann": 2, "Bob": 1}}} for name in ("good", "base")}
    numbers, matrix = blocks(told, ["good", "base"])
    assert numbers.value.rows == [["good", "3"], ["base", "3"]]
    assert (matrix.kind, matrix.title, matrix.value.labels) == ("matrix", "told as", ["good", "base"])


CARD = "---\nlicense: mit # mine\nbase_model: b\n---\n\n# model\n\nMine.\n\n## Use\n\n    chat\n"


def test_the_card_gets_a_section_that_is_replaced_the_next_time() -> None:
    once = with_quality(CARD, "good", results(), "README.md")
    assert with_quality(once, "good", results(), "README.md") == once
    worse = results()
    worse["measures"][0]["figures"]["good"]["value"] = 9.5
    twice = with_quality(once, "good", worse, "README.md")
    assert "| Fit | 9.50 (0.98–1.02) | 2.00 (1.98–2.02) | — |" in twice
    assert twice.count("## Quality") == 1
    assert "1.00" not in twice
    for text in ("# model", "Mine.", "    chat"):
        assert text in twice
    assert twice.index("## Quality") < twice.index("## Use")


def test_what_a_person_wrote_into_the_card_stays() -> None:
    card = with_quality("# mine\n\nno front matter", "good", results(), "README.md")
    changed = card.replace("# mine", "# mine, changed").replace("## Quality", "## Quality\nout") + "more\n"
    again = with_quality(changed, "good", results(), "README.md")
    assert again == changed.replace("## Quality\nout", "## Quality")


def test_the_hub_reads_the_figures_and_other_results_are_kept() -> None:
    from huggingface_hub import ModelCard

    mine = (
        "---\nmodel-index:\n- name: my model\n  results:\n  - task:\n      type: text-generation\n    dataset:\n"
        "      name: other\n      type: other\n    metrics:\n    - type: accuracy\n      value: 0.5\n---\ntext\n"
    )
    card = with_quality(with_quality(mine, "good", results(), "README.md"), "good", results(), "README.md")
    data = ModelCard(card).data
    assert data.model_name == "my model"
    assert {(result.dataset_name, result.metric_type): result.metric_value for result in data.eval_results} == {
        ("other", "accuracy"): 0.5,
        ("held-out conversations", "fit"): 1.0,
        ("held-out conversations", "alike"): 0.29,
        ("held-out conversations", "copied"): 0.01,
        ("held-out conversations", "size"): 4.0,
    }
    assert list(yaml.safe_load(with_quality(CARD, "good", results(), "x").split("---")[1]))[:2] == [
        "license",
        "base_model",
    ]


def test_a_card_that_cannot_be_read_is_told_and_kept(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("---\n[: no yaml\n---\ntext\n")
    with pytest.raises(CheckpointError, match=r"README\.md: its front matter cannot be read"):
        write_beside(tmp_path, "good", results())
    assert (tmp_path / "README.md").read_text() == "---\n[: no yaml\n---\ntext\n"
    assert (tmp_path / "evaluation.json").exists()


def test_what_is_written_beside_a_run_has_no_text_of_the_data_and_no_folders(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(CARD)
    write_beside(tmp_path, "good", results({"longest": "copied words"}, ["a secret"]))
    written = (tmp_path / "evaluation.json").read_text()
    assert json.loads(written)["measures"][0]["figures"]["good"]["value"] == 1.0
    assert json.loads(written)["settings"]["data"] == ["chat.txt"]
    for text in ("secret", "copied words", "somebody", "a chat", "a notice"):
        assert text not in written + (tmp_path / "README.md").read_text()


def test_json_has_no_numbers_that_are_none() -> None:
    assert json.loads(to_json({"a": [float("nan"), (float("inf"), np.int64(1))], "path": Path("x"), "b": True})) == {
        "a": [None, [None, 1]],
        "path": "x",
        "b": True,
    }


@pytest.mark.parametrize("page", ["quality.md", "quality.ja.md"])
def test_the_documentation_says_what_each_figure_means(page: str) -> None:
    from wolf_chatbox.evaluate.study import SUBJECTS

    said = [
        Turn(name, f"{words} {at}") for at in range(40) for name, words in (("Grimbold", "Hrrm,"), ("Pim", "but why"))
    ]
    probes = [Probe(Scene(()), "a", " b", 0, held_out=held_out) for held_out in (False, True)]
    asked = replace(study(), training=[Conversation(tuple(said))], probes=probes)
    entries = [replace(entry, exposures=[Exposure("1234", 1, 2.0)]) for entry in asked.entries]
    asked = replace(asked, entries=entries)
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    titles = []
    for subject in SUBJECTS:
        features = {entry.name: np.zeros((12, 2)) for entry in entries}
        more = (features,) if "features" in signature(subject.measures).parameters else ()
        titles += [measure.title for measure in subject.measures(asked, *more)]
    assert len(titles) > 25
    assert not [title for title in titles if title not in text]
