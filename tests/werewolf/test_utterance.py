"""What becomes of an utterance: limits, mentions, and what the contest's server does with them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wolf_chatbox.werewolf.table import TableConfig
from wolf_chatbox.werewolf.utterance import Cut, cut, plain

NAMES = ("Mio", "Ken", "Kento")


@pytest.mark.parametrize(
    ("text", "settings", "left", "kept"),
    [
        ("ab cd ef", {"letters": 4}, None, ("ab cd", 0)),
        ("ab cd ef", {"letters": 0}, None, ("ab cd ef", 0)),
        ("ab cd ef", {"letters": 4, "count_spaces": True}, None, ("ab c", 0)),
        ("ab cd  ef gh", {"letters": 3, "count_words": True}, None, ("ab cd  ef", 0)),
        ("abcdef", {"letters": 4, "letters_a_day": 9}, 1, ("abcde", 1)),
        ("abcdef", {"letters": 4, "letters_a_day": 9}, 9, ("abcdef", 2)),
        ("abcdef", {"letters": 4, "letters_at_once": 3}, None, ("abc", 0)),
        ("I ask @Mio, you", {"letters": 4}, None, ("I ask  @Mio , you", 0)),
        ("I ask @Mio, you", {"letters": 3}, None, ("I as @Mio , yo", 0)),
        ("a @Mio bcd", {"letters": 2, "letters_after_name": 1}, None, ("a  @Mio  b", 0)),
        ("a @Mio bcd", {"letters": 1, "letters_after_name": 1, "letters_a_day": 9}, 2, ("a  @Mio  bcd", 2)),
        ("to @Ken or @Mio", {"letters": 9}, None, ("to  @Ken  or @Mio", 0)),
        ("to @Ken or @Mio", {"letters": 9, "protocol": "v0"}, None, ("to @Ken or  @Mio ", 0)),
        ("hi @Kento", {"letters": 9}, None, ("hi  @Kento ", 0)),
        ("@nobody hello", {"letters": 7}, None, ("@nobody", 0)),
        ("占いCO！人狼です", {"letters": 5}, None, ("占いCO！", 0)),
    ],
)
def test_a_text_is_cut_as_the_server_cuts_it(
    text: str, settings: dict[str, Any], left: int | None, kept: tuple[str, int]
) -> None:
    assert cut(text, TableConfig(**settings), NAMES, left) == Cut(*kept)


@given(st.text(max_size=60), st.integers(1, 30))
def test_what_is_kept_is_the_beginning_and_never_longer(text: str, letters: int) -> None:
    kept = cut(text, TableConfig(letters=letters), (), None).text
    assert text.startswith(kept)
    assert sum(not letter.isspace() for letter in kept) == min(letters, sum(not letter.isspace() for letter in text))


@pytest.mark.parametrize("lines", [True, False])
def test_a_text_that_no_file_can_hold_becomes_one_that_can(lines: bool) -> None:
    assert plain("caf\udce9 \ud83d!", lines=lines) == "caf? ?!"
    assert plain("🐺", lines=lines) == "🐺"


def test_line_ends_go_in_turns_and_stay_in_a_chat() -> None:
    assert plain(" a\r\nb ", lines=False) == " ab "
    assert plain(" a\nb\n", lines=True) == "a\nb"
