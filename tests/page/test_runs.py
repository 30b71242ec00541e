"""The characters' pages, the data, and what the page lets the command line do."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from browsing import Site
from wolf_chatbox.errors import ConfigError
from wolf_chatbox.evaluate.report.scorecard import SHOWN, is_evaluation, scorecard
from wolf_chatbox.page.jobs import Job, Jobs, command
from wolf_chatbox.page.pages.runs.model_card import harmless, without_front_matter
from wolf_chatbox.page.pages.runs.sheet import ACCOUNT, changes
from wolf_chatbox.words import languages, words_of


def evaluation(**more: Any) -> dict[str, Any]:
    """An evaluation of one run beside the humans."""

    def figure(value: float | None) -> dict[str, Any]:
        return {"value": value, "low": None if value is None else value - 0.05, "high": value}

    measures = [
        {
            "name": name,
            "title": name,
            "group": "Persona",
            "means": "What it means.",
            "better": "higher",
            "unit": "%",
            "digits": 1,
            "figures": {"goose": figure(0.9), "humans": figure(None if name == "ends" else 1.0)},
            "p": {},
        }
        for name in ("ends", "right_character", "something_else")
    ]
    entries = [{"name": "goose", "kind": "run"}, {"name": "humans", "kind": "humans"}]
    return {"entries": entries, "measures": measures, "exchanges": 21, "conversations": 1} | more


# Values and sentences


@pytest.mark.slow
def test_the_sum_of_the_turns_has_all_that_were_read(trained: Path) -> None:
    turns = json.loads((trained / "run.json").read_text())["data"]["turns"]
    assert set(turns) <= {"read", *ACCOUNT}
    assert sum(turns.get(name, 0) for name in ACCOUNT) == turns["read"]


def test_a_scorecard_has_its_figures_in_order_whatever_the_run_is_called_now() -> None:
    for name in ("goose", "renamed"):
        scores = scorecard(evaluation(), name)
        assert [score.measure for score in scores] == ["right_character", "ends"]
        assert [(score.shown, score.humans, score.interval) for score in scores] == [
            ("90 %", "100 %", "85–90"),
            ("90 %", None, "85–90"),
        ]


@pytest.mark.parametrize("language", languages())
def test_every_score_has_a_sentence_in_every_language(language: str) -> None:
    words = words_of(language)
    [score, _] = scorecard(evaluation(), "goose")
    for kind in SHOWN:
        one = score._replace(measure=kind)
        assert one.title(words)
        assert one.shown in one.sentence(words)


@pytest.mark.parametrize(
    "change", [{"entries": 5}, {"measures": [{}]}, {"exchanges": "many"}, {"entries": [{"name": 1, "kind": "run"}]}]
)
def test_a_file_that_is_no_evaluation_is_not_shown(change: dict[str, Any]) -> None:
    assert is_evaluation(evaluation())
    assert not is_evaluation(evaluation(**change))
    damaged = evaluation()
    damaged["measures"][0]["figures"]["goose"]["value"] = "<b>"
    assert not is_evaluation(damaged)


def test_settings_that_differ_from_the_default_stand_apart() -> None:
    changed, rest = changes({"epochs": 7, "lr": 1e-4, "seed": 0, "clean": {"scrub": True, "repair": False}})
    assert changed == {"epochs": "7", "lr": "1e-4", "scrub": "True"}
    assert rest == {"seed": "0", "repair": "—"}


HOSTILE = """<h1 onclick="steal()">Card</h1><script>alert(1)</script><img src="https://elsewhere.example/x.png">
<a href="javascript:alert(1)" onmouseover=x>one</a> <a href="https://good.example/?a=1&amp;b=2">two</a>
<style>body { display: none }</style><iframe src=//elsewhere.example></iframe><svg/onload=alert(1)><td><em>open"""


def test_a_card_of_anybody_brings_no_markup_of_its_own() -> None:
    page = harmless(HOSTILE)
    assert "<h3>Card</h3>" in page
    assert '<a href="https://good.example/?a=1&amp;b=2" rel="noopener noreferrer" target="_blank">two</a>' in page
    assert page.endswith("<td><em>open</em></td>")
    for bad in (
        "script",
        "alert",
        "<img",
        "onclick",
        "onmouseover",
        "javascript",
        "style",
        "iframe",
        "svg",
        "elsewhere",
    ):
        assert bad not in page
    assert harmless("&lt;script&gt;alert(1)&lt;/script&gt;") == "&lt;script&gt;alert(1)&lt;/script&gt;"
    assert without_front_matter("---\na: 1\n---\n\n# Card") == "\n# Card"


# Jobs


def test_the_files_of_a_run_are_those_that_were_made_and_no_others(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path / "exports")
    (tmp_path / "exports/goose/card").mkdir(parents=True)
    (tmp_path / "exports/goose/card/card.png").write_bytes(b"png")
    (tmp_path / "exports/goose/card/wolf_chatbox.export").touch()
    (tmp_path / "exports/goose/card/.hidden").touch()
    (tmp_path / "secret").touch()
    assert [path.name for path in jobs.made("goose")["card"]] == ["card.png"]
    assert jobs.file("goose", "card", "card.png") is not None
    for run, kind, name in (
        ("goose", "card", ".hidden"),
        ("goose", "card", "../../../secret"),
        ("goose", "..", "secret"),
        ("..", "card", "card.png"),
        ("../exports/goose", "card", "card.png"),
        ("goose", "gguf", "card.png"),
    ):
        assert jobs.file(run, kind, name) is None


def test_a_model_is_packed_and_a_fault_is_told(tmp_path: Path) -> None:
    (tmp_path / "goose/inner").mkdir(parents=True)
    (tmp_path / "goose/inner/weights").write_bytes(b"1")

    async def both() -> tuple[Job, Job]:
        jobs = Jobs(tmp_path / "exports")
        packed = asyncio.ensure_future(jobs.do("model", "goose", tmp_path / "goose"))
        await asyncio.sleep(0)
        with pytest.raises(ConfigError, match="goose"):
            await jobs.do("card", "goose", tmp_path / "goose")
        return await packed, await jobs.do("card", "goose", tmp_path / "goose")

    packed, failed = asyncio.run(both())
    assert (packed.state, failed.state) == ("done", "failed")
    assert failed.last.startswith("error: ")
    shutil.unpack_archive(tmp_path / "exports/goose/model/goose.zip", tmp_path / "again")
    assert (tmp_path / "again/goose/inner/weights").read_bytes() == b"1"


def test_an_evaluation_writes_where_its_files_are_looked_for(tmp_path: Path) -> None:
    given = command("evaluate", Path("/runs/goose"), tmp_path)
    assert given[1:3] == ["evaluate", "/runs/goose"]
    assert str(tmp_path / "evaluate/evaluation.html") in given


# In the browser


@pytest.fixture
def second(site: Site, trained: Path) -> Iterator[Path]:
    """Another run, which was evaluated, and a damaged one; both leave with the test."""
    folder, damaged = (site.home / "characters" / name for name in ("gander", "broken"))
    folder.mkdir()
    for name in ("run.json", "metrics.jsonl", "README.md"):
        shutil.copy(trained / name, folder)
    (folder / "evaluation.json").write_text(json.dumps(evaluation()))
    damaged.mkdir()
    (damaged / "run.json").write_text("{")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(damaged)


@pytest.mark.slow
def test_runs_are_compared_looked_at_renamed_and_removed(site: Site, visit: Callable[..., Page], second: Path) -> None:
    page = visit(f"{site.url}/runs", width=390)
    expect(page.get_by_text("damaged (")).to_be_visible()
    for name in ("goose", "gander"):
        page.get_by_role("checkbox", name=f"Choose {name} to compare it").click()
    page.get_by_role("button", name="Compare (2)").click()
    charts = page.locator("figure.chart")
    expect(charts).to_have_count(4)
    for name in ("goose", "gander"):
        expect(charts.first.locator(".chart-legend")).to_contain_text(name)
    expect(charts.first.locator("svg path").first).to_be_attached()
    expect(charts.first.locator(".chart-picture")).to_have_attribute(
        "aria-label", re.compile("Loss.*gander from .*goose")
    )
    expect(page.get_by_role("region", name="Scorecard")).to_contain_text("85–90")
    charts.nth(1).get_by_text("Show as a table").click()
    expect(charts.nth(1).get_by_role("cell").first).to_have_text("0")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.goto(f"{site.url}/runs/gander")
    expect(page.get_by_text("90 % of the replies sound like this character")).to_be_visible()
    page.get_by_role("textbox", name="Name").fill("drake")
    page.get_by_role("button", name="Rename").click()
    page.wait_for_url("**/runs/drake")
    assert not second.exists()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.wait_for_url("**/runs")
    expect(page.get_by_text("drake")).to_have_count(0)
    assert not (site.home / "characters/drake").exists()
    assert httpx.get(f"{site.url}/runs/goose/files/card/..%2f..%2frun.json").status_code == 404


@pytest.mark.slow
def test_dropped_files_are_looked_into_and_a_damaged_one_says_why(
    site: Site, visit: Callable[..., Page], tmp_path: Path
) -> None:
    chat = Path(__file__).parents[1] / "fixtures/whatsapp/android_us.input.txt"
    (tmp_path / "broken.json").write_text('{"messages": [{"role": "user", "content": "hi"')
    page = visit(f"{site.url}/data", locale="ja-JP")
    page.locator("input[type=file]").set_input_files([chat, tmp_path / "broken.json"])
    expect(page.get_by_text("読んだ発言 10 件 = 残した 3 + 前の発言につなげた 1 + 除外 6")).to_be_visible()
    expect(page.get_by_text("最後まで読めませんでした")).to_be_visible()
    expect(page.get_by_text("broken.json, line")).to_be_visible()
    expect(page.get_by_text("発言が 3 件しかありません")).to_be_visible()
    expect(page.get_by_text("Who brings the oars?")).to_be_visible()
    expect(page.locator(".chart-picture").first).to_have_attribute(
        "aria-label", "文字数 (以下)ごとの発言。32: 2、64: 1。"
    )
    page.locator("input[type=file]").set_input_files(tmp_path / "broken.json")
    expect(page.locator(".note.bad")).to_have_count(1)
    expect(page.get_by_text("Who brings the oars?")).to_have_count(0)
