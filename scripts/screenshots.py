#!/usr/bin/env python3
"""Take the pictures of the documentation from the real program: `make screenshots`, after `make demo`.

In the terminal the program runs on a pseudo-terminal, whose last screen becomes an SVG. The page is looked at with
Chromium (scripts/browser installs it), in English and in Japanese; its chat is with the Japanese demo's character where
that is trained (`make demo LANG=ja`). All replies are the models' own.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from itertools import groupby
from pathlib import Path

import pexpect
import pyte
from PIL import Image
from playwright.sync_api import Page, sync_playwright
from rich.console import Console
from rich.style import Style
from rich.text import Text

from wolf_chatbox.talk.archive import Archive
from wolf_chatbox.talk.session import ChatSession
from wolf_chatbox.words import words_of

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
PROGRAM = str(Path(sys.executable).with_name("wolf-chatbox"))
COLUMNS = 84
PROMPT = re.escape("\x1b[?2004h")  # the line editor begins to read by asking for bracketed paste
# pyte names colours its own way.
COLOURS = {"brown": "yellow", "brightblack": "bright_black", "brightbrown": "bright_yellow"}


def run(arguments: list[str], messages: list[str], rows: int) -> pyte.Screen:
    """Run wolf-chatbox on a terminal of `rows` lines and type the messages, each once the program waits for one."""
    screen = pyte.Screen(COLUMNS, rows)
    stream = pyte.Stream(screen)
    with tempfile.TemporaryDirectory() as state:
        settings = {"TERM": "xterm-256color", "XDG_STATE_HOME": state, "PROMPT_TOOLKIT_NO_CPR": "1"}
        child = pexpect.spawn(
            PROGRAM,
            [*arguments, *(["--home", state] if arguments[0] == "chat" else [])],
            encoding="utf-8",
            timeout=60,
            dimensions=(rows, COLUMNS),
            env={**os.environ, **settings},
            cwd=str(ROOT),
        )

        def until(pattern: object) -> None:
            child.expect(pattern)
            stream.feed(_seen(child.before + (child.after if isinstance(child.after, str) else "")))

        for message in messages:
            until(PROMPT)
            child.send(f"{message}\r")
        if messages:
            until(PROMPT)
            child.sendeof()
        until(pexpect.EOF)
    return screen


def _seen(output: str) -> str:
    """pyte knows no faint text: grey stands for it."""
    return output.replace("\x1b[2m", "\x1b[90m").replace("\x1b[2;", "\x1b[90;")


def svg(screen: pyte.Screen, title: str) -> str:
    """The terminal as a picture that asks no other host for a font."""
    lines = [_line(screen, row) for row in range(screen.lines)]
    while lines and not lines[-1].plain.strip():
        lines.pop()
    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True, color_system="truecolor")
    for line in lines:
        console.print(line, soft_wrap=True)
    picture = console.export_svg(title=title)
    picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)
    return picture.replace("Fira Code, monospace", "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace")


def _line(screen: pyte.Screen, row: int) -> Text:
    cells = (screen.buffer[row][column] for column in range(COLUMNS))
    text = Text()
    for style, alike in groupby(cells, key=_style):
        text.append("".join(cell.data for cell in alike), style)
    text.rstrip()
    return text


def _style(cell: pyte.screens.Char) -> Style:
    colour = COLOURS.get(cell.fg, f"#{cell.fg}" if re.fullmatch(r"[0-9a-f]{6}", cell.fg) else cell.fg)
    return Style(color=None if colour == "default" else colour, bold=cell.bold, italic=cell.italics)


@dataclass(frozen=True)
class Show:
    """What the page's pictures of one language show."""

    language: str
    locale: str
    ending: str
    script: str
    """The bundled script whose character is made."""
    run: str
    questions: tuple[str, ...]
    seed: int
    ask: str
    """What both sides of the comparison are asked."""
    said: tuple[str, ...]
    """What a person says at the table of werewolf."""


ENGLISH = Show(
    "en",
    "en-US",
    "",
    "example",
    "demo_model",
    ("Good evening! Who are you?", "What is for supper tonight?", "Do you like the full moon?"),
    2,
    "Is there a room for the night?",
    ("Good morning. Who will speak first?", "Who has something to tell us?", "I listen.", "I am the seer."),
)
JAPANESE = Show(
    "ja",
    "ja-JP",
    ".ja",
    "example_ja",
    "demo_model_ja",
    ("こんばんは。あなたは誰ですか。", "夕飯は何ですか。", "満月は好きですか。"),
    1,
    "今夜、泊まれますか。",
    ("おはようございます。誰から話しますか。", "何か伝えたい人はいますか。", "聞いています。", "私は占い師です。"),
)
WIDTH, HEIGHT, PATIENCE = 1280, 800, 300_000
MOST_BYTES = 300_000


@contextmanager
def site(run: Path, home: Path) -> Iterator[str]:
    """The page with a run and no other, as it shows those of its folder, too; yields its address."""
    log = home / "log"
    with log.open("w") as said:
        command = [PROGRAM, "web", str(run), "--home", str(home), "--port", "0", "--no-browser"]
        process = subprocess.Popen(command, stderr=said, cwd=home, env={**os.environ, "COLUMNS": "200"})
    try:
        while (ready := re.search(r"ready: (http://\S+)", log.read_text())) is None:
            if process.poll() is not None:
                raise SystemExit(f"error: the page does not start: {log.read_text()[-500:]}")
            time.sleep(0.1)
        yield ready[1]
    finally:
        process.terminate()
        process.wait()


def keep_chat(run: Path, home: Path, show: Show) -> None:
    """Have the chat that the picture shows, with a seed, so that it comes again; its last reply is drawn twice."""
    session = ChatSession.load(run, seed=show.seed)
    for question in show.questions:
        session.reply(question)
    for _ in session.retry():
        pass
    about = {"run": run.name, "persona": session.persona, "user": session.user}
    Archive(home / "chats").keep("picture", session.tree, session.present, about)


def picture(page: Page, name: str) -> None:
    """Write what the page shows, with few colours: it has hardly more."""
    page.mouse.move(0, 0)
    page.wait_for_timeout(1500)  # until nothing moves
    place = IMAGES / name
    page.screenshot(path=place)
    with Image.open(place) as shot:
        shot.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(place, optimize=True)
    if place.stat().st_size > MOST_BYTES:
        raise SystemExit(f"error: {name}: has more than {MOST_BYTES:,} bytes.")


def page_pictures(show: Show) -> None:
    """A new character, a chat, and a comparison, in one language."""
    run = ROOT / show.run
    run = run if (run / "run.json").exists() else ROOT / ENGLISH.run
    words = words_of(show.language)
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        home = Path(place)
        keep_chat(run, home, ENGLISH if run.name == ENGLISH.run else show)
        chromium = next(path for name in ("chromium", "google-chrome") if (path := shutil.which(name)))
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        with site(run, home) as url:
            page = browser.new_page(
                viewport={"width": WIDTH, "height": HEIGHT}, locale=show.locale, color_scheme="light"
            )
            page.set_default_timeout(PATIENCE)
            page.goto(f"{url}/talk/picture")
            page.locator(".turn").last.wait_for()
            picture(page, f"page-talk{show.ending}.png")
            page.goto(f"{url}/compare")
            page.get_by_text(words("compare.base", name=run.name)).wait_for()
            page.get_by_label(words("compare.prompt")).fill(show.ask)
            page.get_by_role("button", name=words("compare.ask")).click()
            page.locator(".duel-text:not(.nothing)").nth(1).wait_for()
            page.locator(".asked").evaluate("there => window.scrollTo(0, there.getBoundingClientRect().top - 76)")
            picture(page, f"page-compare{show.ending}.png")
            page.goto(f"{url}/new")
            page.get_by_role("button", name=words(f"new.bundled.{show.script}")).click()
            people = page.get_by_text(words("new.people.title"))
            people.evaluate("there => window.scrollTo(0, there.getBoundingClientRect().top - 160)")
            picture(page, f"page-new{show.ending}.png")
            werewolf_pictures(page, url, show)
        browser.close()


def werewolf_pictures(page: Page, url: str, show: Show) -> None:
    """The lobby, and a table by day, at night, and at the end: a seer among rules players."""
    words = words_of(show.language)
    page.goto(f"{url}/werewolf")
    page.get_by_label(words("werewolf_page.form.wish")).click()
    page.get_by_role("option", name=words("werewolf.roles.SEER"), exact=True).click()
    picture(page, f"page-werewolf{show.ending}.png")
    page.get_by_role("button", name=words("werewolf_page.set_table")).click()
    page.get_by_role("button", name=words("werewolf_page.sit_down")).click()
    page.locator(".ww-chair-name").wait_for()
    page.get_by_role("button", name=words("werewolf_page.start")).click()
    acts, over = page.locator(".ww-acts"), page.locator(".ww.over")
    page.locator(".ww").wait_for()
    taken, said = set[str](), list(show.said)
    while not over.count():
        asked = acts.get_attribute("data-asked") or "0"
        if asked != "0":
            look = "night" if page.locator(".ww.night").count() else "day"
            if page.locator(".ww-choice").is_visible():
                page.locator(".ww-seat.target").first.click()
                if look == "night" and look not in taken:
                    taken.add(look)
                    picture(page, f"page-werewolf-{look}{show.ending}.png")
                page.get_by_role("button", name=words("werewolf_page.confirm")).click()
            elif said and page.locator(".ww-said").count() > 5 and "day" not in taken:
                taken.add("day")
                page.locator(".ww-field textarea").fill(said[0])
                picture(page, f"page-werewolf-day{show.ending}.png")
                page.locator(".ww-field textarea").press("Enter")
            else:
                page.locator(".ww-field textarea").fill(said.pop(0) if len(said) > 1 else words("werewolf_page.over"))
                page.locator(".ww-field textarea").press("Enter")
        page.wait_for_function(
            "asked => document.querySelector('.ww.over') || document.querySelector('.ww-acts').dataset.asked !== asked",
            arg=asked,
        )
    picture(page, f"page-werewolf-end{show.ending}.png")


def main() -> int:
    if not (ROOT / "demo_model" / "run.json").exists():
        print("error: demo_model: there is no trained model. Train it first: make demo", file=sys.stderr)
        return 1
    IMAGES.mkdir(exist_ok=True)
    chat = ["chat", "--model", "demo_model", "--seed", "2"]
    questions = ["Good evening! Who are you?", "What is for supper tonight?", "Do you like the full moon?", "/retry"]
    (IMAGES / "chat.svg").write_text(
        svg(run(chat, questions, 30), "wolf-chatbox chat --model demo_model"), encoding="utf-8"
    )
    inspect = ["data", "inspect", "examples/innkeeper_chat.txt"]
    title = f"wolf-chatbox {' '.join(inspect)}"
    (IMAGES / "inspect.svg").write_text(svg(run(inspect, [], 60), title), encoding="utf-8")
    page_pictures(ENGLISH)
    page_pictures(JAPANESE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
