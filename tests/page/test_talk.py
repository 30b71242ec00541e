"""Talking on the page, in a real browser: replies, branches, several characters, search, keys, a phone."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from browsing import Site

pytestmark = pytest.mark.slow
HOSTILE = "<img src=x onerror=\"document.title='taken'\"> \u202egnp.exe \x1b[31mred " + "A" * 120


def field(page: Page) -> None:
    """Wait until the page listens: its field has the focus."""
    expect(page.get_by_label("Your message")).to_be_focused()


def say(page: Page, text: str) -> None:
    """Send a message, and wait for its reply."""
    page.get_by_label("Your message").fill(text)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your message")).to_have_value("")
    replied(page)


def replied(page: Page) -> None:
    """Wait until a reply stands there, and nothing is drawn."""
    expect(page.locator(".composer-send[aria-label=Send]")).to_be_visible()
    expect(page.locator(".turn.last[data-number]:not([data-number=''])")).to_be_visible()


def said(page: Page) -> list[str]:
    return page.locator(".said-text").all_inner_texts()


def test_a_chat_by_keys_alone_with_branches_a_reload_and_a_second_browser(
    site: Site, visit: Callable[..., Page]
) -> None:
    page = visit(f"{site.url}/talk?run=goose")
    field(page)
    page.keyboard.type("What is a bird")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("to you?")
    page.keyboard.press("Enter")
    replied(page)
    expect(page.get_by_label("Your message")).to_have_value("")
    first = said(page)
    assert first[0] == "What is a bird\nto you?"
    assert len(first) == 2

    page.keyboard.press("Alt+r")  # another reply
    expect(page.locator(".turn-swipe")).to_contain_text("2/2")
    replied(page)
    page.keyboard.press("Alt+ArrowLeft")
    expect(page.locator(".turn-swipe")).to_contain_text("1/2")
    assert said(page) == first

    page.keyboard.press("ArrowUp")  # the last message, in its place
    expect(page.get_by_label("Edit", exact=True).locator("visible=true").first).to_be_visible()
    expect(page.locator(".turn-edit textarea")).to_be_focused()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("Who are you?")
    page.keyboard.press("Enter")
    expect(page.locator(".turn.mine .turn-swipe")).to_contain_text("2/2")
    replied(page)
    assert said(page)[0] == "Who are you?"

    second = visit(page.url)
    expect(second.locator(".said-text")).to_have_count(2)
    assert said(second) == said(page)
    page.locator(".turn.mine").get_by_label("The one before").click()
    expect(second.locator(".turn.mine")).to_contain_text("What is a bird")
    assert said(second) == first

    page.reload()
    field(page)
    assert said(page) == first
    page.keyboard.press("F1")
    expect(page.get_by_text("Another reply").last).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".sheet")).to_have_count(0)


def test_two_characters_hear_what_they_hear_and_why_says_what_was_read(site: Site, visit: Callable[..., Page]) -> None:
    page = visit(f"{site.url}/talk?run=goose&persona=Ann")
    field(page)
    page.get_by_label("Who is there").click()
    you = page.get_by_label("Your name")
    you.fill("Zoe")
    you.press("Enter")
    expect(page.locator(".talk-state")).to_contain_text("Zoe")
    page.get_by_label("Invite somebody").click()
    page.get_by_role("option", name="Bob").click()
    expect(page.get_by_text("Everybody in turn")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".sheet")).to_have_count(0)

    page.get_by_label("Your message").fill("@b")
    expect(page.get_by_role("option", name="Bob")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.type("are you there?")
    page.keyboard.press("Enter")
    replied(page)
    expect(page.locator(".turn.last .said-name")).to_have_text("Bob")

    page.get_by_label("Who the message is for").click()
    page.get_by_role("menuitem", name="Whisper to Ann").click()
    say(page, "Bob hears nothing of this")
    expect(page.locator(".turn.last .said-name")).to_have_text("Ann")
    expect(page.locator(".turn.last")).to_contain_text("whispered to Zoe")
    last = page.locator(".turn.last")
    last.get_by_label("More").click()
    expect(page.get_by_text("Heard by Ann, Zoe")).to_be_visible()
    page.get_by_role("menuitem", name="What the model read").click()
    expect(page.locator(".why-prompt")).to_contain_text("Zoe: Bob hears nothing of this")
    page.keyboard.press("Escape")


def test_what_is_hostile_is_text_and_what_is_too_long_or_stopped_is_not_lost(
    site: Site, visit: Callable[..., Page]
) -> None:
    page = visit(f"{site.url}/talk?run=goose")
    field(page)
    page.get_by_label("Your message").fill("word " * 400)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="Shorten it")).to_be_visible()
    expect(page.get_by_label("Your message")).to_have_value("word " * 400)
    page.reload()
    field(page)
    expect(page.get_by_label("Your message")).to_have_value("word " * 400)

    say(page, HOSTILE)
    expect(page.locator(".said-text", has_text="[U+202E]gnp.exe ␛[31mred")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.title() != "taken"

    page.locator(".talk-bar").get_by_label("More").click()
    with page.expect_download() as saved:
        page.get_by_role("menuitem", name="JSONL").click()
    before = page.url
    line = json.loads(saved.value.path().read_text(encoding="utf-8"))
    assert line["about"]["run"] == "goose"
    page.locator("input[type=file]").set_input_files(
        {"name": "saved.jsonl", "mimeType": "application/json", "buffer": json.dumps(line).encode()}
    )
    expect(page).not_to_have_url(before)
    expect(page.locator(".said-text", has_text="[U+202E]gnp.exe")).to_be_visible()


def test_a_reply_is_stopped_though_it_shows_nothing_yet(site: Site, visit: Callable[..., Page]) -> None:
    slow = {"best_of": 64, "max_new_tokens": 200, "temperature": 5.0, "top_k": 0, "top_p": 1.0}
    about = {"run": "goose", "persona": "Ann", "user": "Zoe", "sampling": slow}
    chat = {"group": "chat", "turns": [{"speaker": "Zoe", "text": "Well?"}], "about": about}
    (site.home / "chats" / "slow-chat.jsonl").write_text(json.dumps(chat), encoding="utf-8")
    page = visit(f"{site.url}/talk/slow-chat")
    field(page)
    page.keyboard.type("Speak!")
    page.keyboard.press("Enter")
    stop = page.get_by_role("button", name="Stop")
    expect(stop).to_be_visible()
    page.keyboard.insert_text("typed meanwhile")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="your text stays here")).to_be_visible()
    stop.click()
    replied(page)
    expect(page.get_by_label("Your message")).to_have_value("typed meanwhile")
    expect(page.locator(".turn.last .cut")).to_be_visible()
    page.locator(".turn.last").get_by_label("More").click()
    expect(page.get_by_role("menuitem", name="Let it go on")).to_be_visible()


def test_on_a_phone_in_japanese_a_chat_is_found_by_what_was_said_and_one_that_is_gone_can_be_read(
    site: Site, visit: Callable[..., Page]
) -> None:
    lines = [("Ann" if at % 2 else "Gast", f"die {at}. Zeile") for at in range(90)]
    turns = [{"speaker": speaker, "text": text} for speaker, text in lines]
    about = {"run": "lost", "persona": "Ann", "user": "Gast"}
    chat = {"group": "chat", "turns": turns, "about": about}
    (site.home / "chats" / "lost-chat.jsonl").write_text(json.dumps(chat), encoding="utf-8")
    page = visit(f"{site.url}/talk/nowhere", width=390, height=844, locale="ja-JP", has_touch=True)
    expect(page.get_by_text("このチャットは見つかりません")).to_be_visible()
    page.get_by_role("button", name="チャット").first.click()
    page.get_by_label("すべてのチャットを検索").fill("2. zeile die")
    page.get_by_role("link", name="die 2. Zeile").click()
    expect(page.get_by_text("die 2. Zeile")).to_be_in_viewport()
    expect(page.get_by_text("のチャットは読めます")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_label("続ける相手").click()
    page.get_by_role("option", name="goose").click()
    page.get_by_label("メッセージ", exact=True).click()
    keyboard = page.context.new_cdp_session(page)
    keyboard.send("Input.imeSetComposition", {"text": "こんにちは", "selectionStart": 5, "selectionEnd": 5})
    for code in (229, 13):  # Enter takes the input method's words; the page sees it in either way
        enter = {"type": "rawKeyDown", "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": code}
        keyboard.send("Input.dispatchKeyEvent", enter)
    expect(page.get_by_label("メッセージ", exact=True)).to_have_value("こんにちは")
    keyboard.send("Input.insertText", {"text": "こんにちは"})
    page.get_by_role("button", name="送信").click()
    expect(page.get_by_text("こんにちは")).to_be_visible()
    expect(page.get_by_role("button", name="送信")).to_be_visible()
    assert len(json.loads((site.home / "chats" / "lost-chat.jsonl").read_text(encoding="utf-8"))["turns"]) == 92
