"""Who is let in: by key, cookie or a guest's link; and what no other site's page, host or path can reach."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from browsing import Site, serve
from wolf_chatbox.page.entrance import (
    ENTER,
    GUEST_COOKIE,
    KEY_COOKIE,
    LANGUAGE_COOKIE,
    TABLE,
    Entrance,
    language_of,
)
from wolf_chatbox.words import words_of

pytestmark = pytest.mark.slow

KEY = "0123456789abcdef-the-key"
SOCKET = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
PAGES = ("/", "/new", "/talk", "/compare", "/werewolf", "/runs", "/data")
"""Pages that are there for everybody who has the key."""


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A page for which one needs a key."""
    site = serve(tmp_path_factory.mktemp("keyed") / "home", "--max-upload", "1000", WOLF_CHATBOX_API_KEY=KEY)
    yield site
    site.end()
    assert "Traceback" not in site.said(), site.said()


@pytest.fixture
def outside(keyed: Site) -> Iterator[httpx.Client]:
    """Somebody without the key."""
    with httpx.Client(base_url=keyed.url, timeout=60) as client:
        yield client


@pytest.fixture
def inside(keyed: Site) -> Iterator[httpx.Client]:
    """Somebody who gave the key in the form."""
    with httpx.Client(base_url=keyed.url, timeout=60) as client:
        assert client.post(ENTER, data={"key": KEY}).status_code == 303
        yield client


def guest_of(game: str) -> str:
    """A guest's token, as the server makes it."""
    return Entrance(None, [KEY]).guest_token(game)  # type: ignore[arg-type]


def connects(url: str, *, name: str = "", **headers: str) -> bool:
    """Whether a page's connection is accepted, where the server is called by a name."""
    host, _, port = url.partition("://")[2].partition(":")
    address = f"ws://{name or host}:{port}{SOCKET}"

    async def attempt() -> bool:
        async with connect(address, additional_headers=headers, host=host, port=int(port)) as socket:
            return str(await socket.recv()).startswith("0")  # Engine.IO's greeting

    try:
        return asyncio.run(attempt())
    except InvalidStatus:
        return False


# Without the key


@pytest.mark.parametrize("path", [*PAGES, "/guess/x", "/static/page.css", "/no/such/page", "/_nicegui/x"])
def test_without_the_key_every_path_leads_to_the_form(outside: httpx.Client, path: str) -> None:
    answer = outside.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{ENTER}?to={path}"
    assert "set-cookie" not in answer.headers


def test_the_form_needs_no_other_file(outside: httpx.Client) -> None:
    form = outside.get(ENTER).text
    assert "body.enter main" in form, "its look is in it"
    assert re.findall(r'(?:src|href)="(?!data:)([^"]*)"', form) == []


@pytest.mark.parametrize(
    "path", ["/v1/models", "/v1/chat/completions", "/api/v1/generate", "/metrics", "/openapi.json"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_the_key_the_api_answers_401_in_its_form(outside: httpx.Client, path: str, method: str) -> None:
    answer = outside.request(method, path)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "invalid_api_key"
    assert answer.headers["www-authenticate"] == "Bearer"


def test_without_the_key_nothing_can_be_sent(outside: httpx.Client) -> None:
    assert outside.post("/_nicegui/client/x/upload/1", content=b"x").status_code == 401
    assert outside.put("/talk", content=b"x").status_code == 401
    assert outside.post(SOCKET.replace("websocket", "polling"), content=b"x").status_code == 401


def test_whether_the_server_lives_is_told_to_everybody(outside: httpx.Client) -> None:
    assert outside.get("/health").json() == {"status": "ok", "models": []}


@pytest.mark.parametrize(
    "cookie",
    [KEY, "", "0" * 64, "\xe9\xff", f"{KEY}; {KEY_COOKIE}=x", "a" * 20_000],
    ids=["the key itself", "empty", "another", "not ASCII", "two", "long"],
)
def test_a_cookie_that_is_not_made_from_the_key_opens_nothing(outside: httpx.Client, cookie: str) -> None:
    headers = {"cookie": f"{KEY_COOKIE}={cookie}".encode("latin-1")}
    assert outside.get("/", headers=headers).status_code == 303
    assert outside.get("/v1/models", headers=headers).status_code == 401


def test_a_cookie_of_a_key_that_was_taken_away_opens_nothing(outside: httpx.Client) -> None:
    old = Entrance(None, ["another-key-0123456789"])._pass("another-key-0123456789")  # type: ignore[arg-type]
    assert outside.get("/", headers={"cookie": f"{KEY_COOKIE}={old}"}).status_code == 303


# With the key


@pytest.mark.parametrize("given", ["", "wrong", KEY[:-1], KEY + "x", "é" * 20, "\x00", "x" * 100_000])
def test_a_wrong_key_opens_nothing_and_is_told(outside: httpx.Client, given: str) -> None:
    answer = outside.post(ENTER, data={"key": given, "to": "/runs"})
    assert answer.status_code == (403 if given.strip() else 200)
    assert "set-cookie" not in answer.headers
    assert ("That is not the key" in answer.text) == bool(given.strip())
    assert 'value="/runs"' in answer.text  # the way is not lost
    assert given not in answer.text or len(given) < 2


def test_many_wrong_keys_shut_nobody_out(outside: httpx.Client) -> None:
    for number in range(200):
        assert outside.get(ENTER, params={"key": f"guess-{number}"}).status_code == 403
    assert outside.post(ENTER, data={"key": KEY}).status_code == 303


@pytest.mark.parametrize("way", ["form", "link"])
def test_the_key_is_given_once_and_a_cookie_stands_for_it(outside: httpx.Client, way: str) -> None:
    fields = {"key": KEY, "to": "/runs?sort=new"}
    answer = outside.post(ENTER, data=fields) if way == "form" else outside.get(ENTER, params=fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/runs?sort=new")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert KEY not in cookie
    assert outside.get("/runs").status_code == 200
    assert outside.get("/v1/models").status_code == 200


def test_the_key_as_a_header_opens_everything(outside: httpx.Client) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    assert outside.get("/v1/models", headers=headers).status_code == 200
    assert outside.get("/", headers=headers).status_code == 200


def test_cookies_of_other_programs_are_no_hindrance(inside: httpx.Client) -> None:
    own = inside.cookies[KEY_COOKIE]
    cookies = f'other={{"a": [1, 2]}}; {KEY_COOKIE}={own}; b@d=\xff'
    assert inside.get("/", headers={"cookie": cookies.encode("latin-1")}).status_code == 200


def test_behind_tls_the_cookie_never_goes_without_it(outside: httpx.Client) -> None:
    headers = {"X-Forwarded-Proto": "https"}
    assert "Secure" in outside.post(ENTER, data={"key": KEY}, headers=headers).headers["set-cookie"]
    assert "Secure" not in outside.post(ENTER, data={"key": KEY}).headers["set-cookie"]


def test_a_proxy_before_the_page_has_a_name_of_its_own(keyed: Site, inside: httpx.Client) -> None:
    cookie, port = f"{KEY_COOKIE}={inside.cookies[KEY_COOKIE]}", keyed.url.rpartition(":")[2]
    name, there = "wolf.example.org", {"Host": f"wolf.example.org:{port}"}
    assert httpx.get(keyed.url, headers={"Cookie": cookie, **there}, timeout=60).status_code == 200
    assert httpx.get(keyed.url, headers=there, timeout=60).status_code == 303
    assert connects(keyed.url, name=name, Cookie=cookie, Origin=f"https://{name}:{port}")
    assert not connects(keyed.url, name=name, Cookie=cookie, Origin=f"https://example.org:{port}")
    assert not connects(keyed.url, name=name, Origin=f"https://{name}:{port}")


def test_the_way_after_the_form_keeps_what_was_asked_for(outside: httpx.Client) -> None:
    form = outside.get("/talk", params={"run": "a & b", "persona": "Ann"}, follow_redirects=True)
    to = re.search(r'name="to" value="([^"]*)"', form.text)
    assert to is not None
    assert to[1] == "/talk?run=a+%26+b&amp;persona=Ann"


@pytest.mark.parametrize(
    "to",
    [
        "https://example.org/",
        "//example.org/",
        "/\\example.org",
        "\\\\example.org",
        "/\t/example.org",
        "/\n/example.org",
        "javascript:alert(1)",
        "",
        "x",
        "/\r\nSet-Cookie: a=b",
    ],
)
def test_the_form_leads_to_this_page_only(outside: httpx.Client, to: str) -> None:
    answer = outside.post(ENTER, data={"key": KEY, "to": to})
    assert answer.headers["location"] == "/"
    assert "a=b" not in answer.headers["set-cookie"]


def test_what_is_asked_for_is_shown_as_text(outside: httpx.Client) -> None:
    answer = outside.get(ENTER, params={"to": '/"><script>alert(1)</script>'})
    assert "<script>" not in answer.text
    assert answer.headers["cache-control"] == "no-store"


# Guests of a game


def test_a_guests_link_opens_its_game_and_nothing_else(outside: httpx.Client) -> None:
    answer = outside.get("/guess/g1", params={"guest": guest_of("g1")})
    assert (answer.status_code, answer.headers["location"]) == (303, "/guess/g1")
    assert outside.cookies[GUEST_COOKIE] == f"g1.{guest_of('g1')}"
    assert KEY_COOKIE not in outside.cookies
    assert outside.get("/guess/g1").status_code != 303
    assert outside.get("/static/page.css").status_code == 200
    for path in (*PAGES, "/guess", "/guess/", "/guess/g2", "/guess/g1/x", "/guess/g1x", "/guess/new", "/static/../"):
        assert outside.get(path).headers["location"].startswith(ENTER), path
    for path in ("/v1/models", "/api/v1/generate", "/metrics", "/openapi.json"):
        assert outside.get(path).status_code == 401, path


def test_a_link_to_a_table_opens_it_keeps_the_seat_and_opens_nothing_else(outside: httpx.Client) -> None:
    token = Entrance(None, [KEY]).guest_token("t1", TABLE)  # type: ignore[arg-type]
    answer = outside.get("/werewolf/table/t1", params={"guest": token, "seat": "s-1"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/werewolf/table/t1?seat=s-1")
    assert outside.get("/werewolf/table/t1", params={"seat": "s-1"}).status_code == 200
    assert outside.get("/static/werewolf.js").status_code == 200
    others = ("/werewolf/table/t2", "/werewolf/table/", "/werewolf/table/t1/x", "/werewolf/replay/t1", "/guess/t1")
    for path in (*PAGES, *others):
        assert outside.get(path).headers["location"].startswith(ENTER), path
    assert outside.get("/v1/models").status_code == 401
    assert token != guest_of("t1")
    for wrong in (guest_of("t1"), token[:-1], ""):
        with httpx.Client(base_url=str(outside.base_url), timeout=60) as other:
            assert other.get("/werewolf/table/t1", params={"guest": wrong}).headers["location"].startswith(ENTER)
            other.cookies.set(GUEST_COOKIE, f"t1.{wrong}")
            assert other.get("/werewolf/table/t1").status_code == 303


@pytest.mark.parametrize("token", ["", "x", "é", "0" * 32, guest_of("g2"), guest_of("g1").upper()])
def test_another_token_is_no_guests_link(outside: httpx.Client, token: str) -> None:
    assert outside.get("/guess/g1", params={"guest": token}).headers["location"].startswith(ENTER)
    cookie = f"{GUEST_COOKIE}=g1.{token}".encode("latin-1")
    assert outside.get("/guess/g1", headers={"cookie": cookie}).status_code == 303
    assert not outside.cookies


def test_a_guests_token_opens_no_other_page(outside: httpx.Client) -> None:
    assert outside.get("/talk", params={"guest": guest_of("/talk")}).headers["location"].startswith(ENTER)
    assert outside.get("/guess/", params={"guest": guest_of("x")}).headers["location"].startswith(ENTER)


# Connections, and pages of other sites


def test_a_connection_needs_the_key_and_a_page_of_this_host(keyed: Site, inside: httpx.Client) -> None:
    cookie = f"{KEY_COOKIE}={inside.cookies[KEY_COOKIE]}"
    guest = f"{GUEST_COOKIE}=g1.{guest_of('g1')}"
    assert connects(keyed.url, Cookie=cookie, Origin=keyed.url)
    assert connects(keyed.url, Cookie=guest, Origin=keyed.url)
    assert connects(keyed.url, Authorization=f"Bearer {KEY}")
    assert not connects(keyed.url, Origin=keyed.url)
    assert not connects(keyed.url, Cookie=f"{KEY_COOKIE}=\xe9")
    for origin in ("http://example.org", "null", "http://[", keyed.url.replace("127.0.0.1", "localhost")):
        assert not connects(keyed.url, Cookie=cookie, Origin=origin), origin


@pytest.mark.parametrize("origin", ["http://example.org", "null", "http://["])
def test_another_origin_gets_nothing(inside: httpx.Client, origin: str) -> None:
    for method, path in (("GET", "/"), ("POST", ENTER), ("POST", "/_nicegui/client/x/upload/1"), ("GET", "/v1/models")):
        assert inside.request(method, path, headers={"Origin": origin}).status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_sites_page_can_link_to_this_one_but_not_use_it(inside: httpx.Client, site: str) -> None:
    def asked(mode: str, dest: str) -> int:
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest}
        return inside.get("/talk", headers=headers).status_code

    assert asked("navigate", "document") == 200
    assert asked("navigate", "iframe") == asked("no-cors", "image") == asked("no-cors", "script") == 403


# What every answer has, and what is too much


@pytest.mark.parametrize("path", ["/no/such/page", "/runs/goose/more", "/talk/x/y"])
def test_an_address_that_is_no_pages_has_a_page_with_a_way_home(inside: httpx.Client, path: str) -> None:
    answer = inside.get(path, headers={"accept-language": "ja"})
    assert answer.status_code == 404
    assert words_of("ja")("frame.lost") in answer.text
    assert "HTTPException" not in answer.text


@pytest.mark.parametrize("path", [*PAGES, ENTER, "/no/such/page", "/static/page.css", "/v1/models"])
def test_no_answer_lets_a_page_ask_another_host(inside: httpx.Client, path: str) -> None:
    answer = inside.get(path)
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    for sources in policy.values():
        hosts = [source for source in sources.split() if not source.startswith("'") and not source.endswith(":")]
        assert {host.partition("://")[2] for host in hosts} <= {inside.base_url.netloc.decode()}
    assert policy["frame-ancestors"] == "'none'"
    assert {"default-src", "form-action", "base-uri"} <= set(policy)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"


def test_a_files_length_is_limited_and_must_be_known(inside: httpx.Client) -> None:
    upload = "/_nicegui/client/x/upload/1"
    assert inside.post(upload, content=b"x" * 1001).status_code == 413
    assert inside.post(upload, content=iter([b"x"] * 10)).status_code == 411
    assert inside.post(upload, content=b"x" * 1000).status_code == 404  # nobody's page asked for it
    both = {"Content-Length": "5", "Transfer-Encoding": "chunked"}
    assert inside.post(upload, content=iter([b"x"] * 10), headers=both).status_code in (400, 411)


def test_other_bodies_are_limited_as_well(outside: httpx.Client) -> None:
    large = b"key=" + b"x" * 2_000_001
    assert outside.post(ENTER, content=large).status_code == 413
    assert outside.post(ENTER, content=iter([large])).status_code == 413


def test_huge_headers_are_refused_and_harm_nobody(outside: httpx.Client) -> None:
    for name in ("cookie", "accept-language", "x-other"):
        with suppress(httpx.RemoteProtocolError):  # the server may hang up
            assert outside.get("/", headers={name: "a," * 500_000}).status_code in (303, 400, 431)
    assert outside.get("/health").status_code == 200


@pytest.mark.parametrize(
    "language", ["x" * 300, "../words/ja", "%00", "\xe9", "en/../ja"], ids=["long", "path", "null", "accent", "dots"]
)
def test_a_language_that_is_none_gives_english(inside: httpx.Client, language: str) -> None:
    headers = {"cookie": f"{KEY_COOKIE}={inside.cookies[KEY_COOKIE]}; {LANGUAGE_COOKIE}={language}".encode("latin-1")}
    assert 'lang="en' in inside.get("/", headers=headers).text


def test_no_path_leads_out_of_its_folder(keyed: Site, inside: httpx.Client) -> None:
    (keyed.home.parent / "secret.css").write_text("a secret")
    for path in OUTWARD:
        answer = raw(inside, path)
        assert answer.status_code in (200, 303, 404), path
        assert answer.headers["content-type"].startswith(("text/html", "application/json")), path
        assert not any(word in answer.content for word in (b"from __future__", b"root:", b"a secret")), path
    for name in ("../home", "/etc", ".", "a/b", "\x00", "x" * 5000):
        assert inside.get("/talk", params={"run": name}).status_code != 500


OUTWARD = (
    *("/static/../entrance.py", "/static/%2e%2e/entrance.py", "/static/..%2fentrance.py", "/static/%2fetc%2fpasswd"),
    *("/static//etc/passwd", "/static/../../../../../secret.css", "/talk/..%2f..%2fsecret", "/talk/%2e%2e"),
    *("/guess/..%2fsecret", "/runs/..%2f..", "/runs/%2e%2e%2fsecret", "/_nicegui/3.18.0/static/..%2fnicegui.py"),
)


def raw(client: httpx.Client, path: str) -> httpx.Response:
    """The answer to a path that is sent as it stands."""
    url = httpx.URL(str(client.base_url), raw_path=path.encode())
    return client.send(client.build_request("GET", url))


@pytest.mark.parametrize("path", ["/v1/unknown", "/api/unknown", "/v1/chat/unknown"])
def test_an_unknown_path_of_the_api_is_told_in_its_form(inside: httpx.Client, path: str) -> None:
    answer = inside.get(path)
    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == f"no such path: {path}."


def test_a_wrong_method_is_told_as_serve_does(inside: httpx.Client) -> None:
    answer = inside.get("/v1/chat/completions")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_the_folder_of_the_page_is_its_owners_alone(keyed: Site) -> None:
    assert [path.name for path in keyed.home.rglob("*") if path.stat().st_mode & 0o077] == []


# On this machine alone


def test_a_page_without_a_key_answers_to_its_own_names_only(site: Site) -> None:
    port = site.url.rpartition(":")[2]

    def status(host: str, **headers: Any) -> int:
        return httpx.get(site.url, headers={"Host": host, **headers}, timeout=60).status_code

    assert status(f"localhost:{port}") == status(f"127.0.0.1:{port}") == 200
    for host in ("example.org", f"example.org:{port}", "127.0.0.1.example.org", "", "[", "127.0.0.1@example.org"):
        assert status(host) in (400, 421), host
    assert connects(site.url, name="localhost", Origin=f"http://localhost:{port}")
    assert not connects(site.url, name="example.org", Origin=f"http://example.org:{port}")
    assert not connects(site.url, name="example.org")
    assert not connects(site.url, Origin="http://example.org")
    assert httpx.get(site.url + ENTER, timeout=60).headers["location"] == "/"


def test_a_home_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AssertionError) as said:
        serve(tmp_path / "file")
    assert re.search(r"^error: .*file: .*--home", str(said.value), re.MULTILINE)


def test_the_language_is_the_chosen_one_or_the_browsers() -> None:
    from starlette.datastructures import Headers

    assert language_of(Headers({"accept-language": "fr, ja;q=0.5"})) == "ja"
    assert language_of(Headers({"accept-language": "ja", "cookie": f"{LANGUAGE_COOKIE}=en"})) == "en"
