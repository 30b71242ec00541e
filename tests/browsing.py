"""The page in a real browser: a server as its own process, and Chromium without a window.

A test that looks at a page takes `page`; at its end the page must have asked no other host, and shown no fault.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

PROGRAM = [sys.executable, "-c", "from wolf_chatbox.cli import main; main()", "web"]
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 30_000
"""Milliseconds: a busy machine fails no test."""
expect.set_options(timeout=PATIENCE)


def chromium() -> str:
    """The path of Chromium; fails where there is none, as a page that nobody looked at is not tested."""
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    if found is None:
        pytest.fail("the tests of the page need Chromium: scripts/browser installs it")
    return found


@dataclass(frozen=True)
class Site:
    """A running page."""

    url: str
    home: Path
    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        """What its terminal shows."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def end(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def serve(home: Path, *arguments: str, **environment: str) -> Site:
    """Start the page as its own process, and wait until it is ready."""
    log = home.with_name(home.name + ".log")
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*PROGRAM, *arguments, "--home", str(home), "--port", "0", "--no-browser"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=file,
            cwd=home.parent,  # the page shows the runs of its folder, too
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "200", **environment},
        )
    while process.poll() is None:
        if found := re.search(r"ready: (http://\S+)", log.read_text(encoding="utf-8", errors="replace")):
            return Site(found[1], home, process, log)
        time.sleep(0.05)
    raise AssertionError(log.read_text(encoding="utf-8", errors="replace"))


@pytest.fixture(scope="session")
def base_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a base model of two layers."""
    from conftest import make_gpt2, make_tokenizer

    folder = tmp_path_factory.mktemp("base") / "tiny-base"
    tokenizer = make_tokenizer()
    make_gpt2(len(tokenizer)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def trained(base_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with two characters, Ann and Bob, learnt from a script by a model of two layers."""
    from conftest import write_script
    from wolf_chatbox.config import SamplingConfig, TrainConfig
    from wolf_chatbox.training.loop import train

    place = tmp_path_factory.mktemp("trained")
    write_script(place / "script.csv", episodes=12)
    config = TrainConfig(
        data=(str(place / "script.csv"),),
        model=str(base_model),
        output=place / "goose",
        style="named",
        epochs=4,
        max_tokens=128,
        lr=5e-3,
        sampling=SamplingConfig(max_new_tokens=24),
    )
    train(config)
    return config.output


@pytest.fixture(scope="session")
def site(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A page with the trained run; all tests of this process share it, so each makes chats of its own."""
    site = serve(tmp_path_factory.mktemp("page") / "home", str(trained))
    yield site
    site.end()
    assert "Traceback" not in site.said(), site.said()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; for a module only, as its event loop would be in the way of other tests' own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page in a browser of its own: `visit(url, width=390, locale="ja-JP")`; checks all of them at the end."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def open_page(url: str, *, width: int = 1280, height: int = 800, locale: str = "en-US", **more: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, locale=locale, **more)
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        own = "/".join(url.split("/")[:3])
        page.on("request", lambda asked: _note_other(asked.url, own, faults))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not faults, faults


def _note_other(url: str, own: str, faults: list[str]) -> None:
    if not url.startswith((own, own.replace("http", "ws", 1), "data:", "blob:")):
        faults.append(f"another host was asked: {url}")


@pytest.fixture
def page(site: Site, visit: Callable[..., Page]) -> Page:
    """Home, in a wide window, in English."""
    return visit(site.url)
