"""The whole way on the page: from a dropped chat to a trained character that answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browsing import Site

pytestmark = pytest.mark.slow
TRAINED = 180_000
"""Milliseconds that a training may take on a busy machine, with its scorecard."""


@pytest.fixture
def chat(tmp_path: Path) -> Path:
    """A chat of two people as WhatsApp exports it on Android: 84 messages, a picture, a deleted one, an address."""
    lines = ["01/05/2024, 17:59 - Messages and calls are end-to-end encrypted. Tap to learn more."]
    for day in range(1, 13):
        said = [
            ("Ann Pond", f"did the goose number {day} get its bread?"),
            ("Bob Reed", f"the goose number {day} is in the house again"),
            ("Ann Pond", f"write to ann@example.org when goose {day} is out"),
            ("Bob Reed", f"goose {day} is in the garden, captain"),
            ("Ann Pond", "<Media omitted>" if day == 3 else f"what a goose, number {day}"),
            ("Bob Reed", "This message was deleted" if day == 4 else f"honk honk, captain {day}"),
            ("Ann Pond", f"good night\nand good luck with goose {day + 1}"),
        ]
        lines += [f"{day:02}/05/2024, 18:{4 * at:02} - {who}: {text}" for at, (who, text) in enumerate(said)]
    path = tmp_path / "WhatsApp Chat with Bob.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def button(page: Page, name: str | re.Pattern[str]) -> None:
    page.get_by_role("button", name=name, exact=isinstance(name, str)).click()


def test_from_a_dropped_chat_to_a_character_that_answers(
    site: Site, visit: Callable[..., Page], chat: Path, base_model: Path
) -> None:
    page = visit(f"{site.url}/new", width=390, height=844)
    page.locator("input[type=file]").set_input_files([chat])
    expect(page.get_by_role("listitem")).to_contain_text("WhatsApp Chat with Bob.txt")
    expect(page).to_have_url(re.compile(r"/new/\d{8}-\d{6}-\w{6}$"))

    button(page, "See what is in them")
    page.get_by_role("radio", name="Bob Reed").click()
    page.get_by_role("switch", name="Hide addresses and numbers").click()
    expect(page.get_by_text("[email]", exact=True).first).to_be_visible()
    page.reload()
    expect(page.get_by_role("radio", name="Bob Reed")).to_have_attribute("aria-checked", "true")
    button(page, "Next")

    expect(page.get_by_label("Name of the character")).to_have_value("Bob-Reed")
    page.get_by_role("radio", name="Another one").press("Enter")
    page.get_by_label("Folder or hub name").fill(str(base_model))
    page.get_by_label("Folder or hub name").press("Enter")
    button(page, re.compile("Start the training"))
    expect(page.get_by_role("progressbar", name="Progress of the training")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.reload()

    expect(page.get_by_text("Bob Reed is ready")).to_be_visible(timeout=TRAINED)
    expect(page.get_by_text("Right character")).to_be_visible()
    page.get_by_role("button", name="Look: Training").click()
    expect(page.get_by_text("Base model", exact=True).first).to_be_visible()
    expect(page.get_by_text("Really said").first).to_be_visible()
    page.reload()
    button(page, re.compile("Talk"))
    page.get_by_role("textbox").last.fill("is the goose out?")
    page.keyboard.press("Enter")
    expect(page.locator(".said:not(.mine) .said-text").first).to_have_text(re.compile(r"\w"))


def test_what_is_dropped_can_be_taken_out_again(site: Site, visit: Callable[..., Page], chat: Path) -> None:
    page = visit(f"{site.url}/new", locale="ja-JP")
    hostile = {"name": "../<b>x</b>.txt", "mimeType": "text/plain", "buffer": b"Ann: hi\nBob: hey\n"}
    page.locator("input[type=file]").set_input_files(hostile)  # type: ignore[arg-type]
    expect(page.get_by_role("listitem")).to_have_count(1)
    page.get_by_role("button", name=re.compile("^削除:")).click()
    expect(page.get_by_role("listitem")).to_have_count(0)
    expect(page.get_by_role("button", name="中身を見る")).to_be_disabled()
    page.get_by_role("button", name="これを削除").click()
    page.get_by_role("dialog").get_by_role("button", name="これを削除").click()
    expect(page).to_have_url(f"{site.url}/")
