"""A schedule is balanced, and game k follows from the seed and k."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wolf_chatbox.game import SIDES
from wolf_chatbox.play.tournament.schedule import Contest
from wolf_chatbox.werewolf.table import TableConfig

NAMES = ("ann", "bob", "eve", "joe", "kim")
sizes = st.sampled_from([5, 9, 13])


@given(many=st.integers(1, 5), size=sizes, seed=st.integers(0, 99), block=st.integers(0, 50))
def test_in_a_round_everybody_has_each_place_once(many: int, size: int, seed: int, block: int) -> None:
    contest = Contest(NAMES[:many], TableConfig(players=size), seed)
    rounds = [contest.seating(block * many + at) for at in range(many)]
    had = Counter(pair for seating in rounds for pair in zip(seating.players, seating.roles))
    assert had == {(name, role): number for name in NAMES[:many] for role, number in contest.table.counts().items()}


@given(many=st.integers(1, 4), size=sizes, seed=st.integers(0, 99))
def test_after_as_many_rounds_as_seats_everybody_had_each_place_at_each_seat(many: int, size: int, seed: int) -> None:
    contest = Contest(NAMES[:many], TableConfig(players=size), seed)
    had: Counter[tuple[str, str, int]] = Counter()
    for game in range(many * size):
        seating = contest.seating(game)
        had.update((*pair, seat) for seat, pair in enumerate(zip(seating.players, seating.roles)))
    roles = contest.table.counts()
    assert had == {(name, role, seat): roles[role] for name in NAMES[:many] for role in roles for seat in range(size)}


@pytest.mark.parametrize("many", [2, 3, 4])
def test_everybody_sits_with_and_against_everybody_about_equally_often(many: int) -> None:
    contest = Contest(NAMES[:many])
    together: Counter[tuple[bool, frozenset[str]]] = Counter()
    for game in range(600 * many):
        seating = contest.seating(game)
        for (one, role), (other, its) in combinations(zip(seating.players, seating.roles), 2):
            together[SIDES[role] == SIDES[its], frozenset({one, other})] += one != other
    for same in (True, False):
        counts = [together[same, frozenset(pair)] for pair in combinations(NAMES[:many], 2)]
        assert max(counts) - min(counts) < 0.1 * sum(counts) / len(counts)
    # Side by side or against each other: as often as two places of a table are.
    shares = [
        together[True, frozenset(pair)] / together[False, frozenset(pair)] for pair in combinations(NAMES[:many], 2)
    ]
    assert shares == pytest.approx([4 / 6] * len(shares), rel=0.1)


@given(game=st.integers(0, 10_000), seed=st.integers(0, 10_000))
def test_a_game_follows_from_the_seed_and_its_number(game: int, seed: int) -> None:
    one, same = (Contest(NAMES, TableConfig(players=9), seed).seating(game) for _ in range(2))
    assert one == same
    assert any(one != Contest(NAMES, TableConfig(players=9), seed + 1).seating(game + k) for k in range(3))


def test_sides_give_each_ordered_pair_a_game_and_nobody_a_place_on_both() -> None:
    contest = Contest(NAMES[:3], match="sides")
    met = []
    for game in range(contest.round_games()):
        seating = contest.seating(game)
        villagers, wolves = (
            {name for name, role in zip(seating.players, seating.roles) if (SIDES[role] == "VILLAGER") == side}
            for side in (True, False)
        )
        assert len(villagers) == len(wolves) == 1
        met.append((*villagers, *wolves))
    assert sorted(met) == sorted((one, other) for one in NAMES[:3] for other in NAMES[:3] if one != other)
