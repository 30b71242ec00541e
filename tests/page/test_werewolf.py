"""A game of werewolf on the page: two people in two browsers, in two languages, and three agents."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import takewhile

import pytest
from playwright.sync_api import Locator, Page, WebSocket, expect

from browsing import Site
from wolf_chatbox.conversation import parse_conversations

pytestmark = pytest.mark.slow


def pick(page: Page, label: str, option: str) -> None:
    page.get_by_label(label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()


def number_asked(page: Page) -> str:
    """Which request the page shows; 0 is none."""
    return page.locator(".ww-acts").get_attribute("data-asked") or "0"


def act_by_keys(page: Page) -> None:
    """Speak, or name a player by its number, and confirm with Enter."""
    if page.locator(".ww-choice").is_visible():
        number = page.locator(".ww-seat.target .ww-number").last.inner_text()
        page.keyboard.press(number)
        expect(page.locator(".ww-seat.chosen .ww-number")).to_have_text(number)
        page.keyboard.press("Enter")
    elif (field := page.get_by_label("What you say")).is_visible():
        expect(field).to_be_focused()
        page.keyboard.type("Who is it?")
        page.keyboard.press("Enter")


def act_by_clicks(page: Page) -> None:
    """Speak with the button, or click on a seat, and confirm with the button."""
    if page.locator(".ww-choice").is_visible():
        page.locator(".ww-seat.target").last.click()
        expect(page.locator(".ww-seat.chosen")).to_have_count(1)
        page.get_by_role("button", name="決定").click()
    elif (field := page.get_by_label("発言", exact=True).and_(page.locator("textarea"))).is_visible():
        field.fill("私は占い師です。")
        page.get_by_role("button", name="送信").click()


def note(page: Page, frames: list[str]) -> None:
    """Keep what the server sends."""

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: frames.append(frame if isinstance(frame, str) else frame.decode()))

    page.on("websocket", listen)


def while_alive(frames: list[str], *ends: str) -> list[str]:
    """What came before a player died or the game was over, as the page says it; the rest comes with that."""
    return list(takewhile(lambda frame: not any(end in frame for end in ends), frames))


def roles(page: Page) -> Locator:
    return page.locator(".ww-reveal tbody td:nth-child(2)")


def test_two_people_and_three_agents_play_a_whole_game_in_two_languages(site: Site, visit: Callable[..., Page]) -> None:
    ann = visit(f"{site.url}/werewolf")
    pick(ann, "Your role", "werewolf")
    pick(ann, "Language at the table", "Japanese")
    pick(ann, "The other seats are played by", "Chance, which says hello")
    ann.get_by_text("More settings").click()
    pick(ann, "Pace of the agents", "Without a pause")
    ann.get_by_label("Utterances of each player a day").fill("1")
    ann.get_by_role("button", name="Set the table").click()
    ann.get_by_label("Your name at the table").fill("Ann")
    ann.get_by_role("button", name="Sit down").click()
    expect(ann.get_by_text("Ann (you)")).to_be_visible()
    ann.get_by_role("button", name="Invite somebody").click()
    link = ann.get_by_label("Link for this seat").input_value()

    seen = {"ann": list[str](), "bob": list[str]()}
    bob = visit(link, width=390, height=844, locale="ja-JP")
    assert "seat=" not in bob.url  # who reads the address over the shoulder gets no seat
    bob.get_by_label("あなたの名前").fill("文")
    bob.get_by_role("button", name="席に着く").click()
    expect(ann.locator(".ww-chair-name")).to_have_text(["Ann (you)", "文"])
    for page, frames in ((ann, seen["ann"]), (bob, seen["bob"])):
        note(page, frames)
        page.reload()
    expect(bob.locator(".ww-chair-name")).to_have_text(["Ann", "文 (あなた)"])
    ann.get_by_role("button", name="Start the game").click()
    expect(ann.locator(".ww-card-role")).to_have_text("Your role: werewolf")
    expect(bob.locator(".ww-card-role")).to_have_text(re.compile("あなたの役職: (村人|占い師|狂人)"))

    bob.keyboard.press("Alt+r")
    expect(bob.locator(".ww-card-role")).to_be_hidden()
    bob.reload()  # the seat is kept, and the role stays hidden
    expect(bob.get_by_text("役職を隠しています")).to_be_visible()
    bob.get_by_role("button", name="役職を見る").click()
    expect(bob.locator(".ww-card-role")).to_be_visible()
    assert bob.evaluate("document.documentElement.scrollWidth") <= 390

    own = bob.locator(".ww-card-role").inner_text().partition(": ")[2]
    while not ann.locator(".ww.over").count():
        for page, act in ((ann, act_by_keys), (bob, act_by_clicks)):
            if (asked := number_asked(page)) != "0":
                act(page)
                expect(page.locator(".ww-acts")).not_to_have_attribute("data-asked", asked)
        ann.wait_for_timeout(30)
    for frame in while_alive(seen["ann"], "You are dead", "The game is over"):
        assert not re.search('"(villager|seer|possessed)"', frame), frame
    for frame in while_alive(seen["bob"], "あなたは死亡しました", "ゲーム終了"):
        assert not any(f'"{role}"' in frame for role in {"村人", "占い師", "狂人", "人狼"} - {own}), frame
    assert any('"人狼"' in frame for frame in seen["bob"])  # at the end it came
    assert any("私は占い師です。" in frame for frame in while_alive(seen["ann"], "You are dead", "The game is over"))

    for page, won in ((ann, "won"), (bob, "勝利")):
        expect(page.locator(".ww-reveal .heading")).to_contain_text(won)
        expect(roles(page)).to_have_count(5)
    assert sorted(roles(ann).all_inner_texts()) == ["possessed", "seer", "villager", "villager", "werewolf"]
    expect(ann.locator(".ww-list").get_by_text("私は占い師です。").first).to_be_attached()
    expect(ann.locator(".ww-list .ww-claim").first).to_have_text("claims: seer")
    expect(bob.locator(".ww-list").get_by_text("Who is it?").first).to_be_attached()

    ann.get_by_role("button", name="Play again").click()
    expect(ann.get_by_text("Ann (you)")).to_be_visible()
    expect(ann.locator(".ww-chair-name")).to_have_text(["Ann (you)", "文"])
    ann.get_by_role("button", name="Clear the table").click()
    ann.get_by_role("link", name="All games").click()
    ann.locator("a.ww-entry-title").click()
    expect(roles(ann)).to_have_count(5)
    with (site.home / "werewolf" / "games.jsonl").open(encoding="utf-8") as file:
        [game] = parse_conversations(file, "games")
    assert game.game is not None
    assert {"Ann", "文"} <= {player.name for player in game.game.players}
    assert (site.home / "werewolf" / "logs" / f"{game.group}.log").is_file()
