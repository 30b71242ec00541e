"""How many games of werewolf are played: a second by chance and by rules, an hour by five seats of a model.

    python bench/werewolf.py                                    # random and rules, 5, 9 and 13 players, one process
    python bench/werewolf.py --players rules --sizes 13 --cost  # what a game costs by its days
    python bench/werewolf.py --model wolf_model --games 20      # five seats of a model: together, and one after another

Each figure is the median of several runs of the same games. A model's games are played twice: many games at once, whose
seats share forward passes, and one game at a time with one utterance at a time, as with one engine call a seat.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any


def order_of(player: str, size: int, language: str, **playing: Any) -> Any:
    from wolf_chatbox.play.casting import PlayersConfig
    from wolf_chatbox.play.tournament.games import Order
    from wolf_chatbox.play.tournament.schedule import Contest
    from wolf_chatbox.werewolf.table import TableConfig

    table = TableConfig(players=size, language=language)
    return Order(Contest((player,), table), PlayersConfig(**playing))


def rate(player: str, size: int, games: int, runs: int, language: str) -> dict[str, Any]:
    """Games a second in this process, and utterances a second."""
    from wolf_chatbox.play.tournament.games import loaded, play_game

    order = order_of(player, size, language)
    cast = loaded(order)
    play_game(order, 0, cast)  # what is loaded or compiled once
    seconds, lines = [], 0
    for _ in range(runs):
        begun = time.perf_counter()
        outcomes = [play_game(order, game, cast) for game in range(games)]
        seconds.append(time.perf_counter() - begun)
        lines = sum(len(outcome.said) for outcome in outcomes)
    return {
        "player": player,
        "players": size,
        "games": games,
        "games a second": games / median(seconds),
        "slowest": games / max(seconds),
        "fastest": games / min(seconds),
        "lines a second": lines / median(seconds),
    }


def cost(player: str, size: int, games: int, language: str) -> list[dict[str, Any]]:
    """Milliseconds of a game by the number of its days."""
    from wolf_chatbox.play.tournament.games import loaded, play_game

    order = order_of(player, size, language)
    cast = loaded(order)
    spent: defaultdict[int, list[float]] = defaultdict(list)
    for game in range(games):
        begun = time.perf_counter()
        outcome = play_game(order, game, cast)
        spent[outcome.days].append(1000 * (time.perf_counter() - begun))
    return [
        {"player": player, "players": size, "days": days, "games": len(found), "ms a game": median(found)}
        for days, found in sorted(spent.items())
    ]


def model(run: str, size: int, games: int, at_once: int, language: str, mind: str) -> list[dict[str, Any]]:
    """Games an hour with every seat a model's: many games at once, and everything one after another."""
    from wolf_chatbox.play.tournament.games import loaded, play_game

    found = []
    for how, slots, workers in (("together", 16, at_once), ("one engine call a seat", 1, 1)):
        order = order_of(f"model:{run}", size, language, slots=slots, mind=mind)
        cast = loaded(order)
        play_game(order, games, cast)  # what is loaded or compiled once
        begun = time.perf_counter()
        with ThreadPoolExecutor(workers) as pool:
            outcomes = list(pool.map(lambda game, order=order, cast=cast: play_game(order, game, cast), range(games)))
        hours = (time.perf_counter() - begun) / 3600
        lines = sum(len(outcome.said) for outcome in outcomes) / games
        row = {"player": run, "players": size, "how": how, "games": games, "games an hour": games / hours}
        found.append(row | {"lines a game": lines})
    return found


def show(rows: list[dict[str, Any]]) -> None:
    if rows:
        print("| " + " | ".join(rows[0]) + " |")
        print("|" + "---|" * len(rows[0]))
        for row in rows:
            print(
                "| " + " | ".join(f"{cell:,.4g}" if isinstance(cell, float) else str(cell) for cell in row.values()),
                "|",
            )
        print()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--players", nargs="+", default=["random", "rules"])
    parser.add_argument("--sizes", nargs="+", type=int, default=[5, 9, 13])
    parser.add_argument("--games", type=int, default=100)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--language", default="en", choices=["en", "ja"])
    parser.add_argument("--cost", action="store_true", help="also what a game costs by its days")
    parser.add_argument("--model", help="a trained run; without it no model plays")
    parser.add_argument("--mind", default="both", choices=["both", "model", "rules"])
    parser.add_argument("--at-once", type=int, default=8, help="a model's games at once")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    if args.model:
        rows = [
            row
            for size in args.sizes[:1]
            for row in model(args.model, size, args.games, args.at_once, args.language, args.mind)
        ]
        show(rows)
    else:
        rows = [
            rate(player, size, args.games, args.runs, args.language) for player in args.players for size in args.sizes
        ]
        show(rows)
        if args.cost:
            spent = [
                row
                for name in args.players
                for size in args.sizes
                for row in cost(name, size, args.games, args.language)
            ]
            show(spent)
            rows += spent
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
