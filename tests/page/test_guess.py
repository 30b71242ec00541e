"""The game on the page: its truth stays hidden, guests reach nothing else, and a game from its making to its end."""

from __future__ import annotations

import asyncio
import http.client
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, WebSocket, expect

from browsing import Site, serve
from wolf_chatbox.conversation import Turn
from wolf_chatbox.errors import DataError
from wolf_chatbox.evaluate.judging.guesses import Game, Guess, Round, read_game, read_guesses, write_game
from wolf_chatbox.page.entrance import KEY_COOKIE, Entrance
from wolf_chatbox.page.judging import games as making
from wolf_chatbox.page.judging.games import Games

KEY = "a-key-of-the-house-16"
REAL, REPLY = "Two coppers, pup.", "No room, traveller."
GAME = Game("goose", (Round((Turn("Traveller", "Any room?"),), Turn("Grimbold", REAL), REPLY),), "secret", "2026-01-02")


# The games of a folder.


def test_a_player_guesses_a_round_once(tmp_path: Path) -> None:
    games, heard = Games(tmp_path), list[str]()
    write_game(games.path("g1"), GAME)
    leave = games.listen("g1", lambda: heard.append("news"))

    async def play() -> None:
        await games.guess("g1", Guess("ann", 0, True))
        await games.guess("g1", Guess("ann", 0, False))
        await games.name_clues("g1", "ann", 0, ["voice"])
        await games.guess("gone", Guess("ann", 0, True))

    asyncio.run(play())
    kept = games.get("g1")
    assert kept is not None
    assert kept.players == 1
    assert kept.by("ann") == {0: Guess("ann", 0, True, ("voice",))}
    assert kept.by("bob") == {}
    assert heard == ["news"]
    leave()
    assert games.listeners == {}


def test_games_are_listed_newest_first_and_damaged_ones_left_out(tmp_path: Path) -> None:
    games = Games(tmp_path)
    write_game(games.path("g1"), GAME)
    write_game(games.path("g2"), Game("goose", GAME.rounds, "s", "2026-05-06"))
    games.path("g3").write_text("{}")
    assert [kept.id for kept in games.all()] == ["g2", "g1"]
    asyncio.run(games.guess("g2", Guess("ann", 0, True)))
    games.remove("g2")
    games.remove("g3")
    assert [path.name for path in tmp_path.iterdir()] == ["g1.json"]


@pytest.mark.parametrize("id", ["", "..", "../x", "a/b", "a.json", "é", "a b"])
def test_what_is_no_name_opens_no_file(tmp_path: Path, id: str) -> None:
    with pytest.raises(DataError):
        Games(tmp_path).get(id)


def made(replies: list[str], monkeypatch: pytest.MonkeyPatch, wanted: int = 2, said: str = "really") -> Game:
    """A game of exchanges that are all answered with what comes next in `replies`."""
    scene = SimpleNamespace(turns=(Turn("You", "hm?", heard=("You", "Ann")),) * 9)
    exchanges = [SimpleNamespace(scene=scene, said=Turn("Ann", f" {said} ")) for _ in replies]
    coming = iter(replies)

    async def away(*given: Any) -> Any:
        return exchanges

    async def draw(*given: Any) -> str:
        return next(coming)

    async def served(name: str) -> Any:
        return SimpleNamespace(character=SimpleNamespace(sampling=None))

    monkeypatch.setattr(making, "away", away)
    monkeypatch.setattr(making, "draw", draw)
    run = SimpleNamespace(folder=Path("goose"))
    desk: Any = SimpleNamespace(
        characters=SimpleNamespace(find={"goose": run}.get, served=served), workspace=SimpleNamespace(making=Path())
    )
    return asyncio.run(making.make(desk, making.Making("goose", wanted)))


def test_a_reply_that_says_nothing_or_the_very_words_is_no_round(monkeypatch: pytest.MonkeyPatch) -> None:
    game = made(["", "really", "one", "two", "three"], monkeypatch)
    assert [one.reply for one in game.rounds] == ["one", "two"]
    assert game.dropped == 2
    assert all(one.real == Turn("Ann", "really") and one.context == (Turn("You", "hm?"),) * 6 for one in game.rounds)
    assert made(["one"], monkeypatch).rounds[0].reply == "one"  # fewer than were wanted
    assert made(["one"], monkeypatch).secret != made(["one"], monkeypatch).secret
    with pytest.raises(DataError, match="nothing of its own"):
        made(["", "really"], monkeypatch)


# Guests.


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A page with a key, and two games that nobody has played."""
    home = tmp_path_factory.mktemp("keyed") / "home"
    (home / "games").mkdir(parents=True)
    for id in ("g1", "g2"):
        write_game(home / "games" / f"{id}.json", GAME)
    site = serve(home, WOLF_CHATBOX_API_KEY=KEY)
    yield site
    site.end()
    assert "Traceback" not in site.said(), site.said()


@pytest.fixture
def guest(keyed: Site) -> Iterator[httpx.Client]:
    """A browser that came by the link for g1."""
    with httpx.Client(base_url=keyed.url, timeout=30) as client:
        answer = client.get("/guess/g1", params={"guest": token("g1")}, follow_redirects=True)
        assert answer.status_code == 200
        assert answer.url.query == b""
        yield client


def token(game: str) -> str:
    """What the link for guests of a game has."""
    return Entrance(None, [KEY]).guest_token(game)  # type: ignore[arg-type]


CLOSED = (
    "/",
    "/compare",
    "/guess",
    "/guess/",
    "/guess/new",
    "/guess/g2",
    "/guess/g1/x",
    "/talk",
    "/new",
    "/runs",
    "/data",
)


@pytest.mark.slow
@pytest.mark.parametrize("path", CLOSED)
def test_a_guest_gets_its_game_and_no_other_page(guest: httpx.Client, path: str) -> None:
    answer = guest.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/enter")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/models"),
        ("POST", "/v1/chat/completions"),
        ("POST", "/api/v1/generate"),
        ("GET", "/metrics"),
        ("GET", "/openapi.json"),
        ("POST", "/guess/g2"),
        ("DELETE", "/guess/new"),
        ("POST", "/"),
    ],
)
def test_a_guest_gets_nothing_of_the_api(guest: httpx.Client, method: str, path: str) -> None:
    assert guest.request(method, path).status_code == 401


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [
        "/guess/g1/../g2",
        "/guess/g1/../../talk",
        "/static/../guess/g2",
        "/_nicegui/../compare",
        "/_nicegui/%2e%2e/compare",
        "/static/%2e%2e/app.py",
        "/static/..%2f..%2fcompare",
        "//compare",
        "/guess/g1%2f..%2fg2",
    ],
)
def test_no_detour_leads_a_guest_elsewhere(keyed: Site, guest: httpx.Client, path: str) -> None:
    host = keyed.url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=30)  # httpx would tidy the path up
    cookies = "; ".join(f"{name}={value}" for name, value in guest.cookies.items())
    connection.request("GET", path, headers={"Cookie": cookies})
    answer = connection.getresponse()
    body = answer.read().decode(errors="replace")
    connection.close()
    assert answer.status != 200, path
    assert "nicegui" not in body.lower() or answer.status == 404


@pytest.mark.slow
def test_a_guest_cannot_send_a_file(guest: httpx.Client) -> None:
    """A file goes to a page that was opened: whoever has not opened one that takes files has no such address."""
    page = guest.get("/guess/g1").text
    client = re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}", page)
    assert client is not None
    for id in range(60):
        answer = guest.post(f"/_nicegui/client/{client[0]}/upload/{id}", files={"file": ("a.txt", b"Ann: hello")})
        assert answer.status_code in (404, 405), id


@pytest.mark.slow
def test_a_guests_page_has_no_truth_no_way_out_and_no_link_for_others(guest: httpx.Client) -> None:
    page = guest.get("/guess/g1").text
    for hidden in (REAL, REPLY, GAME.secret, token("g1"), token("g2"), "/compare", "/talk", "guest="):
        assert hidden not in page, hidden


@pytest.mark.slow
def test_a_cookie_of_ones_own_opens_no_other_game(keyed: Site) -> None:
    for cookie in (
        f"g2.{token('g1')}",
        f"g1.{token('g2')}",
        "g2.",
        ".",
        f"new.{token('g1')}",
        f"../compare.{token('g1')}",
    ):
        answer = httpx.get(f"{keyed.url}/guess/g2", headers={"Cookie": f"wolf_chatbox_guest={cookie}"}, timeout=30)
        assert answer.status_code == 303, cookie


@pytest.mark.slow
def test_whoever_has_the_key_gets_the_link_and_guests_play_by_it(keyed: Site, visit: Callable[..., Page]) -> None:
    entrance = Entrance(None, [KEY])  # type: ignore[arg-type]
    host = visit(f"{keyed.url}/enter?key={KEY}&to=/guess/g1")
    link = host.get_by_label("Link for friends")
    expect(link).to_have_value(f"{keyed.url}/guess/g1?guest={entrance.guest_token('g1')}")
    expect(host.get_by_text("0 players so far")).to_be_visible()
    friend = visit(link.input_value(), width=390, height=844)
    expect(friend.get_by_text("Play with friends")).to_have_count(0)
    expect(friend.locator("nav")).to_have_count(0)
    friend.get_by_role("button", name="Start").click()
    friend.locator("button.choice").first.click()
    friend.get_by_role("button", name="Show the truth").click()
    expect(host.get_by_text("1 player so far")).to_be_visible()
    friend.get_by_role("button", name="See the result").click()
    expect(friend.get_by_text(re.compile(r"You found [01] of 1"))).to_be_visible()
    assert friend.evaluate("document.documentElement.scrollWidth") <= 390
    assert KEY_COOKIE not in {cookie.get("name") for cookie in friend.context.cookies()}


# A whole game.


@pytest.mark.slow
def test_a_game_is_made_played_by_two_and_tells_nothing_early(site: Site, visit: Callable[..., Page]) -> None:
    page = visit(f"{site.url}/guess/new?run=goose")
    page.locator(".q-slider [tabindex]").press("PageDown")
    expect(page.locator(".count")).to_have_text("5")
    page.get_by_role("button", name="Make the game").click()
    expect(page.get_by_role("button", name="Start")).to_be_visible()
    expect(page.get_by_text("Only this machine reaches this page.")).to_be_visible()
    [path] = (site.home / "games").glob("*.json")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    game = read_game(path)
    count = len(game.rounds)  # what the model answers word for word, or not at all, is no round
    assert 2 <= count <= 5

    frames = list[str]()
    page.on("websocket", lambda socket: _note(socket, frames))
    page.reload()
    page.get_by_role("button", name="Start").click()
    expect(page.locator("button.choice")).to_have_count(2)
    player = next(c["value"] for c in page.context.cookies() if c["name"] == "wolf_chatbox_player")  # type: ignore
    one = game.rounds[0]
    real_first = game.real_first(player, 0)
    shown = page.locator(".choice-text").all_inner_texts()
    assert shown == ([one.real.text, one.reply] if real_first else [one.reply, one.real.text])
    page.keyboard.press("1")
    expect(page.get_by_text("What gave it away?")).to_be_visible()
    assert any("choice-text" in frame for frame in frames)  # the round came this way
    for told in ("Really said", "By the model", "is-real", "You found it", "fooled you", game.secret):
        assert not any(told in frame for frame in frames), told

    page.get_by_role("button", name="Wrong voice").click()
    page.get_by_role("button", name="Show the truth").click()
    expect(page.get_by_text("You found it." if real_first else "The model fooled you.")).to_be_visible()
    page.reload()  # goes on where it was
    expect(page.get_by_text(f"Round 2 of {count}")).to_be_visible()

    friend = visit(page.url, locale="ja-JP")
    friend.get_by_role("button", name="始める").click()
    friend.locator("button.choice").first.wait_for()
    friend.keyboard.press("2")
    expect(page.get_by_text("2 players so far")).to_be_visible()

    for number in range(2, count + 1):
        expect(page.get_by_text(f"Round {number} of {count}")).to_be_visible()
        page.keyboard.press("1")
        expect(page.get_by_role("button", name="Show the truth")).to_be_visible()
        page.keyboard.press("Enter")
        expect(page.locator(".told")).to_be_visible()
        page.keyboard.press("Enter")
    right = sum(game.real_first(player, at) for at in range(count))
    expect(page.get_by_text(f"You found {right} of {count}")).to_be_visible()
    expect(page.get_by_text("All guesses (2 players)")).to_be_visible()
    guesses = read_guesses(path.with_name(path.stem + ".guesses.jsonl"))
    assert [guess.right for guess in guesses if guess.player == player] == [
        game.real_first(player, at) for at in range(count)
    ]
    assert guesses[0].clues == ("voice",)

    page.goto(f"{site.url}/guess")
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_text("There is no game yet.")).to_be_visible()
    expect(friend.get_by_text("このゲームはもうありません。")).to_be_visible()
    assert not list((site.home / "games").iterdir())


def _note(socket: WebSocket, frames: list[str]) -> None:
    socket.on("framereceived", lambda frame: frames.append(frame if isinstance(frame, str) else frame.decode()))
