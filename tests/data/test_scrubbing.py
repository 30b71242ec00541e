"""Scrubbing: what leads to a person goes, and what only looks like it stays, in several languages."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wolf_chatbox.config import CleanConfig
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.data.cleaning import clean
from wolf_chatbox.data.privacy.identifiers import is_card, is_iban
from wolf_chatbox.data.privacy.scrubbing import scrub
from wolf_chatbox.data.tally import Tally

CORPUS = Path(__file__).parents[1] / "fixtures" / "scrub.tsv"
"""A language and a text a line; what must go stands in it as ⟦kind|what⟧."""
MARKED = re.compile(r"⟦(\w+)\|(.+?)⟧")
LEAST = {
    "email": (0.94, 1.0),
    "url": (1.0, 0.96),
    "phone": (0.95, 1.0),
    "card": (1.0, 1.0),
    "iban": (1.0, 1.0),
    "coordinates": (1.0, 1.0),
    "ip": (1.0, 1.0),
    "handle": (0.88, 1.0),
    "id": (1.0, 1.0),
}
"""Measured recall and precision. What is missed is written as no pattern expects it: ann (at) example (dot) org."""


def corpus() -> list[tuple[str, str, str]]:
    lines = [line.split("\t")[1] for line in CORPUS.read_text(encoding="utf-8").splitlines()]
    return [(line, MARKED.sub(r"\2", line), MARKED.sub(r"[\1]", line)) for line in lines]


def test_recall_and_precision(capsys: pytest.CaptureFixture[str]) -> None:
    expected: Counter[str] = Counter()
    found: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for line, text, _ in corpus():
        here, wanted = Counter[str](), Counter(match[1] for match in MARKED.finditer(line))
        scrub(text, here)
        expected, found, right = expected + wanted, found + here, right + (wanted & here)
    measured = {kind: (right[kind] / expected[kind], right[kind] / found[kind]) for kind in expected}
    with capsys.disabled():
        print(
            f"\n{len(corpus())} texts",
            *(
                f"{kind:12} {n:3}  recall {measured[kind][0]:.3f}  precision {measured[kind][1]:.3f}"
                for kind, n in expected.items()
            ),
            sep="\n",
        )
    assert found.keys() == expected.keys() == LEAST.keys()
    for kind, least in LEAST.items():
        assert measured[kind][0] >= least[0], kind
        assert measured[kind][1] >= least[1], kind


def test_nothing_but_the_marks_changes() -> None:
    wrong = [text for _, text, scrubbed in corpus() if scrub(text, Counter()) != scrubbed]
    assert len(wrong) <= 7, wrong
    assert len(corpus()) >= 300


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("see https://example.org/a?b=c#d, or www.example.org", "see [url], or [url]"),
        ("card 4111 1111 1111 1111 12/27 or 4111-1111-1111-1111 123", "card [card] 12/27 or [card] 123"),
        ("de89370400440532013000 COBADEFFXXX, GB82 WEST 1234 5698 7654 32 OK", "[iban] COBADEFFXXX, [iban] OK"),
        (
            "tel:+49 30 12345678, phone: (555) 123-4567, at 10:030 12345678",
            "tel:[phone], phone: [phone], at 10:030 12345678",
        ),
        ("電話は090-1234-5678です", "電話は[phone]です"),
        ("カードは４１１１　１１１１　１１１１　１１１１です", "カードは[card]です"),
        ("0049 171 2345678", "[phone]"),
        ("090‑1234‑5678 090–1234–5678 090−1234−5678 090ー1234ー5678", "[phone] [phone] [phone] [phone]"),
        ("+49\u00a0171\u202f2345678", "[phone]"),
        ("ここt.me/x、https://example.com/を見て", "ここ[url]、[url]を見て"),
        ("宛先はann@example.org\u3000（１０時まで）", "宛先は[email]\u3000（１０時まで）"),
    ],
)
def test_scrubbing(text: str, scrubbed: str) -> None:
    found: Counter[str] = Counter()
    assert scrub(text, found) == scrubbed
    assert found.total() == scrubbed.count("[")
    assert scrub(scrubbed, found) == scrubbed


@pytest.mark.parametrize("number", ["4111 1111 1111 1111", "5297-2200-3322-4531", "371549909514546"])
def test_a_card_has_a_check_digit(number: str) -> None:
    assert sum(is_card(number[:-1] + digit) for digit in "0123456789") == 1
    assert is_card(number)


def test_a_number_that_begins_as_no_card_does_is_none() -> None:
    assert not is_card("0000 0000 0000 0000")
    assert not is_card("0049 171 2345678")


def test_an_iban_is_checked() -> None:
    assert is_iban("GB82 WEST 1234 5698 7654 32")
    assert not is_iban("GB82 WEST 1234 5698 7654 33")
    assert not is_iban("XX82 WEST 1234 5698 7654 32")


PIECES = [
    "4111",
    "1111 ",
    "090",
    "-1234",
    "0",
    "1",
    "+",
    "49 ",
    "@",
    "ann",
    ".",
    "com",
    "/",
    ":",
    "https://",
    "[",
    "]",
    "DE89 ",
    "は",
    "　",
    "u/",
    "1.2345",
    ", ",
]


@example("U/000/U/000")
@given(st.one_of(st.text(max_size=80), st.lists(st.sampled_from(PIECES), max_size=25).map("".join)))
def test_scrubbing_twice_is_scrubbing_once(text: str) -> None:
    once = scrub(text, Counter())
    assert scrub(once, Counter()) == once


def scrubbed(*turns: tuple[str, str], group: str = "chat") -> tuple[Conversation, Tally]:
    tally = Tally(kept=len(turns))
    (found,) = clean([Conversation(tuple(Turn(*turn) for turn in turns), group)], CleanConfig(scrub=True), tally)
    return found, tally


def test_speakers_and_groups_that_are_numbers_go_as_well() -> None:
    found, tally = scrubbed(
        ("+49 171 2345678", "hi"),
        ("‪+49 171 2345679‬", "hi"),
        ("Ann", "call +49 171 2345678"),
        group="Chat with +49 171 2345678",
    )
    assert [turn.speaker for turn in found.turns[:3]] == ["[phone]", "‪[phone]‬", "Ann"]
    assert "2345678" not in json.dumps(found.to_dict())
    assert tally.changed["phone"] == 4
    two, _ = scrubbed(("030 1234567", "hi"), ("030 1234568", "hi"), ("030 1234567", "you"))
    assert [turn.speaker for turn in two.turns] == ["[phone]", "[phone] 2", "[phone]"]


def test_an_at_before_a_speaker_is_no_handle() -> None:
    found, tally = scrubbed(("Kate Oar", "@Kate and @kate_oar99"), ("Bob", "@bob!"))
    assert [turn.text for turn in found.turns] == ["@Kate and [handle]", "@bob!"]
    assert tally.changed["handle"] == 1


HOSTILE = (
    "DE12 ",
    "4111 1111 1111 1112 ",
    "+1 ",
    "1 ",
    "1",
    "01.05.2024 ",
    "a@a.",
    "www.",
    "a:1:",
    "0.2345, ",
    "1234-",
    "u/",
    "a.",
    "1°",
    "u/000/",
)


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_hostile_line_of_a_hundred_thousand_characters_ends(piece: str) -> None:
    """With time that grows as the square of the length it would not, in hours."""
    text = piece * (100_000 // len(piece))
    once = scrub(text, Counter())
    assert scrub(once, Counter()) == once
