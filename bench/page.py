"""The page in a real browser: how soon it is there, how many can chat at once, its memory, and beside a training.

    python bench/page.py --run demo_model
    python bench/page.py --run demo_model --only load chats
    python bench/page.py --run demo_model --only busy --data example --model smollm2-135m

`load`: seconds from the navigation to the first content, in a new browser (cold) and again in it (warm).
`chats`: several browsers send a message at the same moment. Each notes when its reply begins and ends.
`memory`: the server's resident memory after more and more loads of all pages, when they are forgotten.
`busy`: the same chats, and how soon a typed letter has its effect, without a training and beside one. The training runs
at different priorities, its waiting threads awake or asleep (OMP_WAIT_POLICY); the page starts its own at 5, asleep.

One server at a time, each with a folder of its own. Needs Chromium, playwright and psutil. Times are medians.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

PROGRAM = [sys.executable, "-c", "from wolf_chatbox.cli import main; main()"]
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATHS = ("/", "/new", "/talk", "/compare", "/runs", "/data")
MESSAGE = "Tell me about the house, the guests and the long winter."
FORGOTTEN = 45.0
"""Seconds after which the server has forgotten a browser that left (page/app.py: RECONNECT)."""
PATIENCE = 120_000
"""Milliseconds that a browser waits."""
THERE = "document.querySelector('main')?.innerText.trim().length > 0"
"""Whether a page shows something of its own."""
WATCH = """() => {
  window.noted = {};
  const now = () => performance.timeOrigin + performance.now();
  document.addEventListener('keydown', event => { if (event.key === 'Enter') noted.sent ??= now(); }, true);
  const look = () => {
    const turn = [...document.querySelectorAll('.turn:not(.mine)')].at(-1), text = turn?.querySelector('.said-text');
    if (!noted.sent || noted.done || !text?.textContent.trim()) return;
    noted.first ??= now();
    if (text.textContent.length !== noted.length) [noted.length, noted.last] = [text.textContent.length, now()];
    if (!text.classList.contains('growing') && !document.querySelector('.growing')) noted.done = now();
  };
  const all = {subtree: true, childList: true, characterData: true, attributes: true};
  new MutationObserver(look).observe(document.body, all);
}"""
TYPED = """() => new Promise(done => {
  const field = document.querySelector('.composer-field textarea'), send = document.querySelector('.composer-send');
  const begun = performance.now(), off = send.disabled;
  new MutationObserver((_, watcher) => {
    if (send.disabled !== off) { watcher.disconnect(); done((performance.now() - begun) / 1000); }
  }).observe(send, {attributes: true});
  field.value = off ? 'x' : '';
  field.dispatchEvent(new Event('input', {bubbles: true}));
})"""
"""Types a letter, or removes it: the server lets the button for sending follow."""


@dataclass(frozen=True)
class Server:
    url: str
    process: psutil.Process

    @property
    def resident(self) -> float:
        """MiB of memory."""
        return float(self.process.memory_info().rss) / 2**20


@dataclass(frozen=True)
class Reply:
    """When a reply began and ended, in seconds after the first message was sent, and how much it says."""

    waited: float
    """From its own message to its first piece."""
    first: float
    end: float
    rate: float
    """Characters a second between the first piece and the last."""


@contextlib.contextmanager
def serving(run: str) -> Iterator[Server]:
    """The page with a run, in a folder of its own."""
    with tempfile.TemporaryDirectory() as place:
        command = [*PROGRAM, "web", run, "--home", f"{place}/home", "--port", "0", "--no-browser"]
        log = Path(place, "log")
        with log.open("w") as said:
            process = subprocess.Popen(command, stderr=said, stdout=said, env={**os.environ, "COLUMNS": "200"})
        try:
            while (ready := re.search(r"ready: (http://\S+)", log.read_text(errors="replace"))) is None:
                if process.poll() is not None:
                    sys.exit(f"error: the page does not start:\n{log.read_text(errors='replace')[-2000:]}")
                time.sleep(0.05)
            yield Server(ready[1], psutil.Process(process.pid))
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()


@contextlib.contextmanager
def visiting(browser: Browser, number: int = 1) -> Iterator[list[Page]]:
    """Browsers that know nothing of each other."""
    contexts = [browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US") for _ in range(number)]
    for context in contexts:
        context.set_default_timeout(PATIENCE)
    try:
        yield [context.new_page() for context in contexts]
    finally:
        for context in contexts:
            context.close()


def row(*cells: object) -> None:
    print(f"| {' | '.join(f'{cell:.2f}' if isinstance(cell, float) else str(cell) for cell in cells)} |", flush=True)


def table(*names: str) -> None:
    print()
    row(*names)
    row(*["---"] * len(names))


def load(browser: Browser, args: argparse.Namespace) -> None:
    """Until all that a page is made of is there, connected, and its heading or field can be seen."""
    table("page", "cold, s", "slowest", "warm, s", "slowest")
    with serving(args.run) as server:
        for path in (*PATHS, f"/talk?run={Path(args.run).name}"):
            cold, warm = list[float](), list[float]()
            for _ in range(args.times):
                with visiting(browser) as (page,):
                    cold.append(arrive(page, server.url + path))
                    warm.append(arrive(page, server.url + path))
            row(path, statistics.median(cold), max(cold), statistics.median(warm), max(warm))


def arrive(page: Page, url: str) -> float:
    begun = time.monotonic()
    page.goto(url, wait_until="load")
    page.wait_for_function(THERE)
    return time.monotonic() - begun


def chats(browser: Browser, args: argparse.Namespace) -> None:
    """Several people at once, beside one alone."""
    table("people", "first piece, s", "slowest", "all replies, s", "characters/s of each", "last begins / first ends")
    with serving(args.run) as server:
        for people in (1, args.people):
            rounds = [together(browser, server, args.run, people) for _ in range(args.rounds + 1)][1:]  # one to warm up
            every = [reply for replies in rounds for reply in replies]
            waited = [reply.waited for reply in every]
            ratio = statistics.median(
                max(reply.first for reply in replies) / min(reply.end for reply in replies) for replies in rounds
            )
            whole = statistics.median(max(reply.end for reply in replies) for replies in rounds)
            rate = statistics.median(reply.rate for reply in every)
            row(people, statistics.median(waited), max(waited), whole, rate, ratio)


def together(browser: Browser, server: Server, run: str, people: int) -> list[Reply]:
    """Each of the people opens a chat, and all send a message at once."""
    with visiting(browser, people) as pages:
        for page in pages:
            page.goto(f"{server.url}/talk?run={Path(run).name}")
            page.locator(".composer-field textarea").fill(MESSAGE)
            page.locator(".composer-send:not([disabled])").wait_for()
            page.evaluate(WATCH)
        for page in pages:
            page.locator(".composer-field textarea").press("Enter")
        for page in pages:
            page.wait_for_function("window.noted.done")
        noted = [page.evaluate("window.noted") for page in pages]
    begun = min(one["sent"] for one in noted)
    return [
        Reply(
            (one["first"] - one["sent"]) / 1000,
            (one["first"] - begun) / 1000,
            (one["done"] - begun) / 1000,
            1000 * one["length"] / max(1.0, one["last"] - one["first"]),
        )
        for one in noted
    ]


def memory(browser: Browser, args: argparse.Namespace) -> None:
    """Loads of all pages in turn; a memory that stays flat forgets what left."""
    table("loads", "resident, MiB", "KiB more for each load")
    with serving(args.run) as server:
        done, before = 0, 0.0
        for wanted in args.loads:
            for number in range(done, wanted):
                with visiting(browser) as (page,):
                    page.goto(server.url + PATHS[number % len(PATHS)])
                    page.wait_for_function(THERE)
            time.sleep(FORGOTTEN)
            resident = server.resident
            row(wanted, resident, (resident - before) * 1024 / (wanted - done) if before else "")
            done, before = wanted, resident


def busy(browser: Browser, args: argparse.Namespace) -> None:
    """The page beside a training, at different priorities."""
    table("training", "typed letter, s", "slowest", "first piece, s", "characters/s", "ratio")
    alone = 0.0
    for nice, policy in [(None, ""), *((nice, policy) for nice in args.nice for policy in ("passive", "active"))]:
        with serving(args.run) as server, training(args, nice, policy):
            with visiting(browser) as (page,):
                page.goto(f"{server.url}/talk?run={Path(args.run).name}")
                page.locator(".composer-field textarea").wait_for()
                typed = [page.evaluate(TYPED) for _ in range(args.times + 1)][1:]
            replies = [together(browser, server, args.run, 1)[0] for _ in range(args.rounds + 1)][1:]
            rate = statistics.median(reply.rate for reply in replies)
            alone = alone or rate
            name = "none" if nice is None else f"nice {nice}, threads {'asleep' if policy == 'passive' else 'awake'}"
            first = statistics.median(reply.waited for reply in replies)
            row(name, statistics.median(typed), max(typed), first, rate, rate / alone)


@contextlib.contextmanager
def training(args: argparse.Namespace, nice: int | None, policy: str) -> Iterator[None]:
    """A training that has begun to learn, until the block ends; none without a priority."""
    if nice is None:
        yield
        return
    with tempfile.TemporaryDirectory() as place:
        command = [
            *PROGRAM,
            "train",
            "--data",
            args.data,
            "--model",
            args.model,
            "--epochs",
            "1000",
            "--output",
            f"{place}/run",
        ]
        environment = {**os.environ, "OMP_WAIT_POLICY": policy}
        environment.pop("OMP_NUM_THREADS", None)
        process = subprocess.Popen(
            ["nice", "-n", str(nice), *command], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            metrics = Path(place, "run.unfinished", "metrics.jsonl")
            while not metrics.exists() or metrics.read_text().count("\n") < 3:
                if process.poll() is not None:
                    sys.exit("error: the training does not start; try the same command by hand: " + " ".join(command))
                time.sleep(0.5)
            yield
        finally:
            process.kill()
            process.wait()


PARTS = {"load": load, "chats": chats, "memory": memory, "busy": busy}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True, help="folder of a trained model")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--times", type=int, default=10, help="loads of each page, and typed letters")
    parser.add_argument("--people", type=int, default=8, help="who chat at once")
    parser.add_argument("--rounds", type=int, default=5, help="messages of each")
    parser.add_argument("--loads", type=int, nargs="+", default=[20, 100, 200])
    parser.add_argument("--nice", type=int, nargs="+", default=[0, 5], help="priorities of the training")
    parser.add_argument("--data", default="example", help="what the training beside the page learns")
    parser.add_argument("--model", default="smollm2-135m", help="the base model of that training")
    args = parser.parse_args(arguments)
    args.run = str(Path(args.run).resolve())
    chromium = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    if chromium is None:
        sys.exit("error: there is no Chromium. Install it: scripts/browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name in args.only:
            PARTS[name](browser, args)
        browser.close()


if __name__ == "__main__":
    main()
