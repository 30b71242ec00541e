"""One Night Ultimate Werewolf between language models, as Werewolf GPT records it in markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.game import VILLAGER, WEREWOLF, Player
from wolf_chatbox.importers.files.source import Source, clean
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.games import Record, check_table

PLAYER = re.compile(
    r"Player number (\d{1,3}) is named \*\*([^*]{1,64})\*\*, and they have the \*\*\*([^*]{1,64})\*\*\* card"
)
PHASE = re.compile(r"## The \*\*\*(NIGHT|DAY|VOTE)\*\*\* phase")
SAYS = re.compile(r">\s?\*\*\*GAME:\*\*\*\s?(.*)")
THOUGHT = re.compile(r"\*\*\*([^*()]{1,64}) \(thoughts as [^*()]{1,64}\):\*\*\*\s?(.*)")
SAID = re.compile(r">\s?\*\*([^*\[\]]{1,64}?)(?: \[[^\]*]{1,64}\])?:\*\*\s?(.*)")
VOTE = re.compile(r"I am voting for ([^*]{1,64}?)\.?")
COUNT = re.compile(r"\* ([^*:]{1,64}) : ([^*:]{1,64}) : (\d{1,4})")
ITEM = re.compile(r"\* ([^:]{1,64})(?:: (.{1,200}))?")
NAMES = re.compile(r"(?<!\*)\*\*([^*]{1,64})\*\*(?!\*)")
CARDS = re.compile(r"\*\*\*([^*]{1,64})\*\*\*")
RESULT = re.compile(
    r"(?:There was a tie between )?(.{1,300}?)(?: (?:was|were) (?:killed|voted out))?\. The (\w{1,20}) wins?\b"
)
WINS = {"werewolves": WEREWOLF, "villagers": VILLAGER, "village": VILLAGER, "werewolf": WEREWOLF, "tanner": "TANNER"}


def claims(head: str) -> bool:
    return bool(PLAYER.search(head)) and "\n## The ***NIGHT*** phase" in head


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the game. A thought is a turn that nobody hears; a vote is an event, told when all have voted."""
    reader = _Reader(source, tally)
    for line in source.lines():
        reader.take(line.strip())
    reader.finish()
    facts = {key: value for key, value in reader.facts.items() if value}
    group = f"onuw {source.path.stem}"
    yield from reader.record.conversation(
        "onuw-gpt", group, reader.players.values(), winner=reader.winner, votes_are_public=True, facts=facts
    )


class _Reader:
    """Reads a transcript line by line; headings say which part of the game a line belongs to."""

    def __init__(self, source: Source, tally: Tally) -> None:
        self.record = Record(str(source.path), tally)
        self.players: dict[str, Player] = {}
        self.winner = ""
        self.facts: dict[str, Any] = {
            "cards": [],
            "center": [],
            "night": [],
            "votes": {},
            "run": {},
            "comment": [],
            "other_lines": [],
        }
        self.tally = tally
        self.part = "setup"
        self.votes: list[tuple[str, str]] = []
        self.last: tuple[str, list[str], str] | None = None
        """Speaker, lines and channel of a turn that the next line may continue."""
        self.seer = ""
        self.known: set[tuple[str, str, str]] = set()
        """Who knows of whom what it is, so that it is told once."""

    def take(self, line: str) -> None:
        if not line:
            self._say()
        elif phase := PHASE.match(line):
            self._enter(phase[1])
        elif line.startswith("## "):
            self._say()
            self.part = "run" if "Run Details" in line else "comment"
        elif self.part in ("NIGHT", "DAY", "VOTE"):
            self._play(line)
        else:
            self._note(line)

    def finish(self) -> None:
        self._say()
        self._count()
        self.facts["comment"] = "\n".join(self.facts["comment"])
        if self.winner:
            self.record.happen("end")

    def _enter(self, phase: str) -> None:
        self._say()
        self._count()
        self.part = phase
        if phase == "NIGHT":
            self.record.happen("night")
            if self.facts["cards"]:
                self.record.happen("announce", text=f"The cards of this game: {', '.join(self.facts['cards'])}.")
        elif phase == "DAY":
            self.record.day = 1
            self.record.happen("day")

    def _note(self, line: str) -> None:
        if player := PLAYER.match(line):
            name = clean(player[2])
            self.players[name] = Player(name, player[3].upper(), int(player[1]))
        elif line.startswith("The cards face-down"):
            self.facts["center"] = CARDS.findall(line)
        elif self.part == "comment":
            self.facts["comment"].append(line)
        elif item := ITEM.fullmatch(line):
            if self.part == "run":
                self.facts["run"][item[1]] = item[2] or ""
            else:
                self.facts["cards"].append(item[1])
        elif self.part == "setup" and not line.startswith(("#", "---")):
            self.facts["other_lines"].append(line)

    def _play(self, line: str) -> None:
        thought, said, says = THOUGHT.match(line), SAID.match(line), SAYS.match(line)
        if (thought or said or says) and self.last:
            self._say()
        if thought:
            self.last = (thought[1], [thought[2]], "thought")
        elif says:
            self._says(says[1])
        elif said and self.part == "VOTE" and (vote := VOTE.fullmatch(said[2].strip())):
            self.votes.append((said[1], vote[1]))
            self.tally.dropped["vote, kept as an event"] += 1
        elif said:
            # In the vote nobody hears the others before all have voted.
            self.last = (said[1], [said[2]], "thought" if self.part == "VOTE" else "")
        elif self.part == "VOTE" and (count := COUNT.fullmatch(line)):
            self._label(clean(count[1]), count[2].upper())
            self.facts["votes"][clean(count[1])] = int(count[3])
        elif self.last:
            self.last[1].append(line.removeprefix(">").strip())
        elif self.part == "NIGHT" and not line.startswith("---"):
            self._night(line)
        elif line not in ("---", "The votes were:"):
            self.facts["other_lines"].append(line)

    def _say(self) -> None:
        if self.last:
            speaker, said, channel = self.last
            self.record.say(speaker, "\n".join(said), channel)
            self.last = None

    def _count(self) -> None:
        """Add the votes: all have voted."""
        for voter, target in self.votes:
            self.record.happen("vote", voter, target)
        self.votes = []

    def _says(self, text: str) -> None:
        """The game speaks to everybody; at the end it says who died and who won."""
        result = RESULT.match(text) if self.part == "VOTE" else None
        if result is None:
            self.record.happen("announce", text=text)
            return
        self._count()
        dead = [name for part in re.split(r",| and ", result[1]) if (name := clean(part)) in self.players]
        for name in dead:
            self.record.happen("execute", target=name, result=self.players[name].role)
        if not dead:
            self.record.happen("execute")
        self.winner = WINS.get(result[2].lower(), "")
        self.facts["result"] = text

    def _label(self, name: str, role: str) -> None:
        """Set the role at the end, if cards changed hands in the night."""
        player = self.players.get(name)
        if player and role != player.role:
            self.players[name] = replace(player, role=role, dealt=player.role)

    def _night(self, line: str) -> None:
        """Who learns what from a line of the night. Players whose card does not wake learn nothing."""
        self.facts["night"].append(line)
        names, cards = list(dict.fromkeys(NAMES.findall(line))), CARDS.findall(line)
        check_table(names, self.record.where)
        if re.search(r"seer(?: is)? in play", line) and names:
            self.seer = names[0]
        elif line.startswith("The seer looked at a card") and names and cards:
            self.record.happen("divine", self.seer, names[0], cards[0].upper())
        elif line.startswith("The seer looked at"):
            self.record.happen("know", self.seer, text=f"Two of the cards in the center are {' and '.join(cards)}.")
        elif " is a minion " in line and names:
            self._wolves(names[0], names[1:])
        elif "werewol" in line and names:
            self._each_other(names, WEREWOLF)
            if cards:
                self.record.happen(
                    "know", names[0], text=f"You are the only werewolf. One of the cards in the center is {cards[0]}."
                )
        elif "mason" in line and names:
            self._each_other(names, "MASON")
            if len(names) == 1:
                self.record.happen("know", names[0], text="You are the only mason.")

    def _each_other(self, names: Sequence[str], role: str) -> None:
        for name in names:
            for other in names:
                if other != name and (name, other, role) not in self.known:
                    self.known.add((name, other, role))
                    self.record.happen("know", name, other, role)

    def _wolves(self, minion: str, wolves: Sequence[str]) -> None:
        for wolf in wolves:
            self.record.happen("know", minion, wolf, WEREWOLF)
        if not wolves:
            self.record.happen("know", minion, text="Nobody at the table is a werewolf.")


FORMAT = Format(
    title="One Night transcript (markdown)",
    documentation="https://github.com/surfkansas/werewolf-gpt",
    notes=(
        "One Night Ultimate Werewolf between language models. Thoughts are turns that nobody hears; lines that cast "
        "a vote become events"
    ),
    claims=claims,
    read=read,
)
