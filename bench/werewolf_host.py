"""Whole games through the websocket moderator: agents by chance connect, and all files are read again.

    python bench/werewolf_host.py                               # 1,000 games of five players, 200 of thirteen
    python bench/werewolf_host.py --games 20 --players 5 --protocol v0

Every game's .log and .json are read by the importer, and must hold the turns, the events and the winner of the game as
the moderator led it. Of what happens, a log has no finding of a medium, which follows from the execution, and no night
in which nobody did anything; a game without a word is no conversation.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

GAMES = {5: 1_000, 13: 200}


async def play(url: str, name: str, chance: random.Random) -> None:
    """One game of an agent by chance; one answer in fifty names nobody."""
    async with connect(url, ping_interval=None, compression=None) as socket:
        try:
            async for frame in socket:
                packet = json.loads(frame)
                request, info = packet["request"], packet.get("info", {})
                if request == "NAME":
                    await socket.send(name)
                elif request in ("TALK", "WHISPER"):
                    text = f"I am {info['agent']}, @{chance.choice(list(info['status_map']))}, it is day {info['day']}."
                    await socket.send(chance.choice([text, "Over", "", "Skip"]))
                elif request in ("VOTE", "DIVINE", "GUARD", "ATTACK"):
                    alive = [who for who, status in info["status_map"].items() if status == "ALIVE"]
                    await socket.send(chance.choice(alive) if chance.random() > 0.02 else "somebody")
        except ConnectionClosed:
            pass


async def play_all(url: str, players: int, games: int, tables: int) -> None:
    """Keep so many tables full until all games are played."""
    left = iter(range(players * games))
    chance = random.Random(players)

    async def seat(number: int) -> None:
        for _ in left:
            await play(url, f"chance{number}", chance)

    await asyncio.gather(*(seat(number) for number in range(players * tables)))


def facts_of(conversation: Any) -> tuple[list[tuple[str, str, str]], list[Any], str]:
    turns = [(turn.speaker, turn.text, turn.channel) for turn in conversation.turns]
    events = [event for event in conversation.game.events if event.kind not in ("medium", "night")]
    return turns, events, conversation.game.winner


def check(folder: Path, made: dict[str, Any], counts: Counter[str]) -> None:
    from wolf_chatbox.data.tally import Tally
    from wolf_chatbox.importers import read_conversations

    for game_id, facts in made.items():
        for kind in (".log", ".json"):
            tally = Tally()
            read = [facts_of(game) for game in read_conversations(folder / f"{game_id}{kind}", None, tally)]
            counts[f"{kind} read"] += 1
            counts[f"{kind} differs"] += read != ([facts] if facts[0] else [])
            counts[f"{kind} with notes"] += bool(tally.notes) and bool(facts[0])
        turns, events, winner = facts
        counts["without a word"] += not turns
        counts["turns"] += len(turns)
        counts["events"] += len(events)
        counts[f"won by {winner or 'NONE'}"] += 1


def measure(players: int, games: int, protocol: Any, tables: int, folder: Path) -> dict[str, Any]:
    from wolf_chatbox.play.protocol.config import HostConfig
    from wolf_chatbox.play.protocol.host import Host
    from wolf_chatbox.werewolf.table import TableConfig

    made: dict[str, Any] = {}
    counts: Counter[str] = Counter()

    def keep(session: Any) -> None:
        made[session.village.game_id] = facts_of(session.village.conversation())
        counts["lost agents"] += len(session.village.gone)
        counts["packets"] += len(session.entries)

    table = TableConfig(players=players, protocol=protocol)
    config = HostConfig(table=table, port=0, games=games, seed=players, output=folder)
    begun = time.monotonic()
    with Host(config, done=keep) as host:
        agents = threading.Thread(target=lambda: asyncio.run(play_all(host.url, players, games, tables)))
        agents.start()
        host.wait()
        agents.join()
    seconds = time.monotonic() - begun
    check(folder, made, counts)
    return {"players": players, "protocol": protocol, "games": len(made), "seconds": round(seconds, 1), **counts}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--players", type=int, choices=sorted(GAMES), help="only games of so many players")
    parser.add_argument("--games", type=int, help="games of each size")
    parser.add_argument("--protocol", choices=["v0", "v1"], default="v1")
    parser.add_argument("--tables", type=int, default=4, help="games at once")
    settings = parser.parse_args()
    for players in [settings.players] if settings.players else sorted(GAMES):
        with tempfile.TemporaryDirectory() as folder:
            games = settings.games or GAMES[players]
            found = measure(players, games, settings.protocol, settings.tables, Path(folder))
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
