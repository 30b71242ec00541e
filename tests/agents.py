"""Agents that connect to a moderator, each a coroutine, as simple as an agent can be; they know nothing of our code."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Sequence
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

Packet = dict[str, Any]
Answer = Callable[[Packet], str | None]
"""What an agent answers to a packet; None: nothing."""


def by_chance(seed: int | str) -> Answer:
    """Says something once in a while, and names anybody who lives."""
    chance = random.Random(seed)

    def answer(packet: Packet) -> str | None:
        request, info = packet["request"], packet.get("info", {})
        if request in ("TALK", "WHISPER"):
            return chance.choice(["Over", f"I am {info['agent']}, and it is day {info['day']}, or so."])
        if request in ("VOTE", "DIVINE", "GUARD", "ATTACK"):
            alive = [name for name, status in info["status_map"].items() if status == "ALIVE"]
            return chance.choice([name for name in alive if name != info["agent"]])
        return None

    return answer


async def agent(url: str, name: str, answer: Answer, **settings: Any) -> list[Packet]:
    """Play one game; returns its packets."""
    packets: list[Packet] = []
    async with connect(url, ping_interval=None, **settings) as socket:
        try:
            while not packets or packets[-1]["request"] != "FINISH":
                packet = json.loads(await socket.recv())
                packets.append(packet)
                reply = name if packet["request"] == "NAME" else answer(packet)
                if reply is not None:
                    await socket.send(reply)
            await socket.wait_closed()
        except ConnectionClosed:
            pass
    return packets


def play(url: str, names: Sequence[str], answer: Callable[[str], Answer] = by_chance) -> dict[str, list[Packet]]:
    """Play one game with an agent of each name; returns their packets."""

    async def all_of_them() -> list[list[Packet]]:
        return await asyncio.gather(*(agent(url, name, answer(name)) for name in names))

    return dict(zip(names, asyncio.run(all_of_them())))
