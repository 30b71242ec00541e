"""Every importer takes time in proportion to what it reads: for four times the file at most six times the time.

In proportion is 4, the square is 16. What a processor caches makes small files cheaper, the more so beside other work.

Four files of one size and one of four times that size are read in turns, in one process, until the sums of its
processor time decide: other load on the machine affects both alike.
"""

from __future__ import annotations

import gc
import itertools
import math
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hostile import NUMBER, Hostile, hostile
from wolf_chatbox.config import ReadConfig
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import WolfChatboxError
from wolf_chatbox.importers import FORMATS, read_conversations

FIXTURES = Path(__file__).parents[1] / "fixtures"
SIZE, SMALL = 50_000, 20_000
"""Characters of the smaller file; where all ways are tried, and where some are."""
MANY, SOME = 10, 8
"""Hostile files of a format that are tried at most: evenly taken from those of all ways, and of some."""
QUICK = 0.05
"""Seconds: a larger file that takes less is not looked at any closer."""
ROUNDS = 8
PATIENCE = 10
"""Seconds of processor time after which a file hangs."""


class Hangs(BaseException):
    """No importer catches it as an error of its own."""


def cost(place: Path, name: str) -> float:
    """Seconds of processor time that reading takes, whatever comes of it; infinity where it hangs."""

    def hang(*_: object) -> None:
        raise Hangs

    gc.disable()
    usual = signal.signal(signal.SIGVTALRM, hang)
    signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE)
    began = time.process_time()
    try:
        for _ in read_conversations(place, ReadConfig(format=name), Tally()):  # type: ignore[arg-type]
            pass
    except WolfChatboxError:
        pass
    except Hangs:
        return math.inf
    finally:
        spent = time.process_time() - began
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, usual)
        gc.enable()
    return spent


def growth(content: Callable[[int], bytes], file: Path, place: Path, name: str, size: int) -> float:
    """How many times as long a file of four times the size takes, or 1 if it takes no time; `place` is read."""

    calls = itertools.count()

    def measure(size: int) -> float:
        file.write_bytes(content(size + 8 * next(calls)))  # what an importer remembers of the file before does not help
        return cost(place, name)

    usual = file.read_bytes()
    try:
        first = measure(4 * size)
        if first < QUICK or first == math.inf:
            return 1.0 if first < QUICK else first
        small = large = ratio = 0.0
        for number in range(ROUNDS):
            small += sum(measure(size) for _ in range(4))
            large += measure(4 * size)
            ratio = 4 * large / small
            if ratio <= 4.5 or (number and not 6 < ratio <= 8):  # plain enough
                break
        return ratio
    finally:
        file.write_bytes(usual)


def cases(name: str, scratch: Path) -> Iterator[tuple[Path, Path]]:
    """A copy of each file of the format's fixtures, and the path to read: the file, or its folder."""
    for fixture in sorted((FIXTURES / name).glob("*.input.*")):
        place = scratch / fixture.name
        if fixture.is_file():
            shutil.copy(fixture, place)
            yield place, place
            continue
        shutil.copytree(fixture, place)
        yield from ((file, place) for file in sorted(place.rglob("*")) if file.is_file())


def grown(name: str, scratch: Path, *, all_ways: bool) -> dict[str, float]:
    """The hostile files that take more than their share, and how much."""
    found = {}
    made = [
        (file.relative_to(scratch), place.name, bad)
        for file, place in cases(name, scratch)
        for bad in hostile(file.read_bytes(), all_ways=all_ways)
    ]
    for file, place, bad in made[:: math.ceil(len(made) / (MANY if all_ways else SOME))]:
        factor = growth(bad.content, scratch / file, scratch / place, name, SIZE if all_ways else SMALL)
        if factor > 6:
            found[f"{file}, {bad.label}"] = round(factor, 1)
    return found


CUE = "1\n00:00:01,000 --> 00:00:02,000\n"
MAIL = "From ann Thu Mar 14 10:00:00 2024\nFrom: Ann <ann@example.org>\n"
PLAYER = f"- Player number {NUMBER} is named **A{NUMBER}**, and they have the ***seer*** card\n"
PACKET = (
    '{"agent": "A", "request": "{\\"request\\": \\"TALK\\", \\"info\\": {\\"agent\\": \\"A\\", \\"day\\": 1}, '
    '\\"new_talk\\": '
)
TALK = f'{{\\"day\\": 1, \\"idx\\": 0, \\"agent\\": \\"A\\", \\"text\\": \\"{NUMBER}\\"}}}}", "response": "a"}},'
KNOWN = {
    "play": [
        Hostile("lines that go on", (("ANN.\na\n\nBOB.\nb\n\nANN.\nc\n\nBOB.\n", "b [c\n"),)),
        Hostile("brackets that stay open", (("ACT I\n\nANN.\na\n\nANN.\nb\n\n", "[c\n"),)),
    ],
    "screenplay": [
        Hostile("lines that go on", (("Ann: a\n", "b\n"),)),
        Hostile("brackets that stay open", (("Ann: a\n", "(b\n"),)),
        Hostile("notes that stay open", (("INT. LAKE\n\nANN\na\n\nANN\nb\n\n", "/*[["),)),
    ],
    "subtitles": [
        Hostile("lines of a cue", ((f"{CUE}ANN: a\n", "b\n"),)),
        Hostile("notes", ((f"{CUE}ANN: a\n\n{CUE}", "♪"),), ")x\n"),
    ],
    "line": [Hostile("lines that go on", (("[LINE] Ann\n\n2025/04/18(金)\n12:08\tAnn\ta\n", "b\n"),))],
    "whatsapp": [Hostile("dates that cannot be", (("12/9/20, 23:55 - Ann: a\n", "99/99/99, 99:99 - \n"),))],
    "mail": [
        Hostile("a folded header", ((f"{MAIL}Subject: a\n", " b\n"),), "\na\n"),
        Hostile("references", ((f"{MAIL}References: <a@b>\n", f" <{NUMBER}@b>\n"),), "\na\n"),
        Hostile(
            "an encoding for host names", ((f"{MAIL}Content-Type: text/plain; charset=punycode\n\n", "ab"), ("-", "ab"))
        ),
    ],
    "llmafia": [
        Hostile("lines that go on", (("[10:00:00] Game-Manager: Now it's Daytime\n[10:00:01] Ann: a\n", "b\n"),))
    ],
    "onuw": [
        Hostile("lines that go on", (("## The ***DAY*** phase\n> **Ann:** a\n", "b\n"),)),
        Hostile(
            "names of a night", (("", PLAYER), ("## The ***NIGHT*** phase\nThe werewolves are ", f"**A{NUMBER}** "))
        ),
    ],
    "aiwolf": [
        Hostile(
            "players", (("", f"0,status,{NUMBER},SEER,ALIVE,team,A{NUMBER}\n"), ("", f"0,talk,0,0,{NUMBER},hello\n"))
        )
    ],
    "aiwolf_json": [Hostile("texts in one place", (('{"agents": [], "entries": [', PACKET + TALK),), "{}]}")],
    "werewolf_arena": [
        Hostile(
            "players and nights",
            (('{"werewolves": [', f'"A{NUMBER}",'), ('"B"], "rounds": [', '{"eliminated": "B"},')),
            '{}], "players": []}',
        )
    ],
}
"""What once took the square of its length, or worse."""


@pytest.mark.parametrize(
    ("name", "bad"),
    [(name, bad) for name, found in KNOWN.items() for bad in found],
    ids=lambda value: getattr(value, "label", value),
)
def test_what_took_the_square_of_its_length_does_not(name: str, bad: Hostile, tmp_path: Path) -> None:
    file = tmp_path / "public_daytime_chat.txt"
    file.touch()
    size = 4 * SIZE if name == "mail" else 2 * SIZE  # the parser of mails is so slow that its square shows late
    assert growth(bad.content, file, file, name, size) <= 6


@pytest.mark.parametrize("name", FORMATS)
def test_four_times_the_file_takes_four_times_the_time(name: str, tmp_path: Path) -> None:
    assert not grown(name, tmp_path, all_ways=False)


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_four_times_the_file_takes_four_times_the_time_in_all_ways(name: str, tmp_path: Path) -> None:
    assert not grown(name, tmp_path, all_ways=True)
