"""Games that aiwolf-nlp-server recorded, played again under our rules with the answers of the recording."""

from __future__ import annotations

import json
import random
from collections import defaultdict, deque
from collections.abc import MutableSequence, Sequence
from pathlib import Path
from typing import Any

from games import DATA
from wolf_chatbox.play.protocol.packets import NOTHING, Packet, packet_of, request_of
from wolf_chatbox.werewolf.rules import Village
from wolf_chatbox.werewolf.steps import Answer, Ask, Tell
from wolf_chatbox.werewolf.table import TableConfig

SAMPLES = DATA / "aiwolf_server_samples"
GAMES = sorted(SAMPLES.glob("game*.json"))


class Recording:
    """A recorded game: its log, its packets, and who decided what."""

    def __init__(self, path: Path) -> None:
        self.form: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        self.log = path.with_suffix(".log").read_text(encoding="utf-8")
        self.rows = [line.split(",", 5) for line in self.log.split("\n")]
        status = [row for row in self.rows if row[1] == "status" and row[0] == "0"]
        self.names = [row[-1].split(",")[-1] if len(row) == 7 else row[5].split(",")[-1] for row in status]
        self.roles = dict(zip(self.names, (row[3] for row in status)))
        self.teams = {name: row[5].rpartition(",")[0] for name, row in zip(self.names, status)}
        self.packets = [(entry["agent"], json.loads(entry["request"])) for entry in self.form["entries"]]
        self.replies: dict[str, deque[str]] = defaultdict(deque)
        for entry in self.form["entries"]:
            if "response" in entry:
                self.replies[entry["agent"]].append(entry["response"])

    def play(self) -> tuple[Village, list[tuple[str, Packet]]]:
        """The game again; returns what became of it, and the packets in their order."""
        table = TableConfig(players=len(self.names), protocol="v0")
        profiles = {who: packet["info"]["profile"] for who, packet in self.packets if packet["request"] == "INITIALIZE"}
        chance = Decided(self)
        village = Village(table, self.roles, game_id=self.form["game_id"], profiles=profiles, chance=chance)
        chance.village = village
        sent: list[tuple[str, Packet]] = []
        cursors = dict.fromkeys(self.names, NOTHING)
        course = village.course()
        answer: Answer = None
        try:
            while True:
                step = course.send(answer)
                assert isinstance(step, Ask | Tell)
                for name in step.who:
                    packet, cursors[name] = packet_of(request_of(step), village.sights[name], cursors[name])
                    sent.append((name, packet))
                answer = {name: self.replies[name].popleft() for name in step.who} if isinstance(step, Ask) else None
        except StopIteration:
            return village, sent


class Decided(random.Random):
    """Decides on orders and ties as the recording has them."""

    def __init__(self, recording: Recording) -> None:
        super().__init__(0)
        phases: list[list[str]] = []
        last = ("", "")
        for row in recording.rows:
            if row[1] in ("talk", "whisper"):
                if (row[0], row[1]) != last or row[2] == "0":
                    phases.append([])
                if row[3] == "0":
                    phases[-1].append(recording.names[int(row[4]) - 1])
            last = (row[0], row[1])
        self._orders = deque(phases)
        self._chosen = [
            (int(row[0]), recording.names[int(row[2]) - 1])
            for row in recording.rows
            if row[1] in ("execute", "attack") and row[2] != "-1"
        ]
        self.village: Village | None = None

    def shuffle(self, x: MutableSequence[Any]) -> None:
        x[:] = self._orders.popleft()

    def choice(self, seq: Sequence[Any]) -> Any:
        assert self.village is not None
        day, dead = self.village.day, self.village.dead
        return next(name for when, name in self._chosen if when == day and name in seq and name not in dead)
