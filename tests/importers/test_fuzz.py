"""Every importer, on files that were damaged: our own error or turns that are all counted, and never anything else."""

from __future__ import annotations

import itertools
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import WolfChatboxError
from wolf_chatbox.importers import FORMATS, read_conversations

FIXTURES = Path(__file__).parents[1] / "fixtures"
SEEDS = {
    name: [
        path.read_bytes() for path in sorted((FIXTURES / name).rglob("*")) if path.is_file() and ".input." in str(path)
    ]
    for name in FORMATS
}
PIECES = [
    b"\n",
    b"\n\n",
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b": ",
    b"\t",
    b"\0",
    b"\xff",
    b"\xe2\x80\x8e",
    b"null",
    b"-->",
    b"From ",
    b" - ",
    b"1e999",
]
WORST = [
    "a",
    " ",
    "1",
    "(",
    "[",
    "<",
    "-",
    ":",
    ".",
    ",",
    '"',
    "\t",
    "1/",
    "a.",
    "<v ",
    "> ",
    "[a](",
    "\u200e",
    "1:",
    "A ",
    "@",
    "{",
    '{"a":',
    "[1,",
    "\\",
    "*a",
    "_",
    "/*",
    "[[",
    "(- ",
    "\n ",
]
"""What regular expressions and parsers are slow on, repeated."""


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "file"


def check(path: Path, content: bytes, name: str) -> None:
    path.write_bytes(content)
    tally = Tally()
    conversations = []
    told = ""
    try:
        conversations = list(read_conversations(path, ReadConfig(format=name), tally))  # type: ignore[arg-type]
    except WolfChatboxError as error:
        told = str(error)
    assert "\n" not in told
    assert told or tally.kept == sum(len(conversation.turns) for conversation in conversations)
    assert all(turn.text and turn.speaker for conversation in conversations for turn in conversation.turns)


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_damaged_file_is_read_or_told(scratch: Path, name: str, data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(SEEDS[name])))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content)))
        to = data.draw(st.integers(at, min(len(content), at + 40)))
        what = data.draw(st.sampled_from(PIECES) | st.binary(max_size=6) | st.just(bytes(content[at:to]) * 2))
        content[at:to] = what
    check(scratch, bytes(content), name)


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_no_file_hangs_an_importer(scratch: Path, name: str) -> None:
    """A quadratic pattern would take minutes for what a linear one reads in milliseconds."""

    def hang(*_: object) -> None:
        raise TimeoutError(f"{name} hangs on {piece!r} at {at}")

    usual = signal.signal(signal.SIGVTALRM, hang)
    try:
        for (number, seed), (turn, piece) in itertools.product(enumerate(SEEDS[name]), enumerate(WORST)):
            places = (0, len(seed) // 2)  # both in the first file, by turns in the others
            for at in places if number == 0 else (places[(number + turn) % 2],):
                signal.setitimer(signal.ITIMER_VIRTUAL, 10)
                content = seed[:at] + (piece * (80_000 // len(piece))).encode() + seed[at:]
                check(scratch, content, name)
                FORMATS[name].claims(content.decode(errors="replace")[: 1 << 16])
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, usual)
