"""What every page has around it: the way to the others, the language, light and dark, on any width."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from browsing import Site

pytestmark = pytest.mark.slow


def test_home_shows_the_characters_and_the_way_to_every_page(page: Page) -> None:
    expect(page.get_by_text("goose")).to_be_visible()
    for name in ("New character", "Compare", "Characters", "Data"):
        page.get_by_role("link", name=name, exact=True).first.click()
        expect(page.locator(".frame-link.here").first).to_have_text(name)


def test_the_language_follows_the_browser_and_can_be_changed(site: Site, visit: Callable[..., Page]) -> None:
    page = visit(site.url, locale="ja-JP")
    expect(page.locator("html")).to_have_attribute("lang", "ja")
    expect(page.get_by_role("link", name="比べる").first).to_be_visible()
    page.get_by_role("button", name="言語").click()
    page.get_by_text("English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en-US")


def test_dark_stays_after_a_reload(site: Site, visit: Callable[..., Page]) -> None:
    page = visit(site.url, color_scheme="light")
    expect(page.locator("body.body--light")).to_be_visible()
    page.get_by_role("button", name="Light, dark").click()
    expect(page.locator("body.body--dark")).to_be_visible()
    page.reload()
    expect(page.locator("body.body--dark")).to_be_visible()


def test_on_a_phone_nothing_is_wider_than_the_screen(site: Site, visit: Callable[..., Page]) -> None:
    page = visit(site.url, width=390, height=844)
    expect(page.locator(".frame-tabs nav")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
