"""Werewolf-bench: games between language models, as plain text (Foaster.ai 2025).

https://github.com/Foaster-ai/Werewolf-bench: `Game_35.txt` begins with the roles, the models and the winner. A line's
first signs tell what it is; what people would hear goes on over the lines after it:

    [Eve] - Candidacy …    🎤 Eve : speech    [ACTION] Eve voted for mayor: Oscar    🏆 Oscar is elected mayor …
    🌙 NIGHT 1    [VISION RESULT] Grace discovers that Oscar is a VILLAGER    [CONSENSUS] Wolves agree on: Oscar
      Alice: "whisper" + proposes to eliminate Oscar.    [WITCH] The life potion has been used to save Oscar.
    ☀️ DAY 1    🤔 [Eve's reasoning] thought    [Eve] speech    🗳️  Eve voted for : Katia
    🎭 Game Master: what all hear    🎭 Game Master: 💀 Charlie (villager) died this night.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.game import VILLAGER, WEREWOLF, Player
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.games import Record, check_table

ROLES = {"wolf": WEREWOLF, "werewolf": WEREWOLF, "villager": VILLAGER, "seer": "SEER", "witch": "WITCH"}
BEGIN = re.compile(r"\s*={10,200}\s*\n\s*game \d{1,9}\s*\n={10,200}\s*\nPlayers and roles ?: \{", re.IGNORECASE)
TITLE = re.compile(r"game (\d{1,9})\s*", re.IGNORECASE)
SEATS = re.compile(r"Players and roles ?: \{(.{0,8000})\}")
SEAT = re.compile(r"""(['"])(.{1,64}?)\1: (['"])(\w{1,40})\3""")
ABOUT = re.compile(r"([A-Z][a-z]{1,20}(?: [a-z]{1,20}){0,3}) : (.{0,500})")
"""A line above the game: its winner, its models."""
WANTS = re.compile(r'(?:"(.{0,50000})"\.?)?\s{0,4}(?:\+ )?(?:proposes to eliminate (.{1,64})\.)?', re.DOTALL)
"""What a wolf says to the others, and whom it wants dead."""
VARIANT = "\ufe0f"
"""What makes a sign a picture; logs write some signs with it and without."""
SPEECH, WHISPER, THOUGHT = "", "whisper", "thought"


def claims(head: str) -> bool:
    return bool(BEGIN.match(head))


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the game; another may follow in the same file."""
    game = _Game(source, tally)
    for line in source.lines():
        if (seats := SEATS.match(line)) and game.roles:
            yield from game.conversation()
            game = _Game(source, tally, game.next_title)
        if seats:
            game.seat(seats[1])
        else:
            game.take(line.rstrip("\n").replace(VARIANT, ""))
    yield from game.conversation()


def _patterns(names: str) -> dict[str, re.Pattern[str]]:
    """What a line may be, by how it begins; `names` are the players', as alternatives of a pattern."""
    name = f"({names})"
    told = {
        THOUGHT: rf"🤔 \[(?:Raisonnement de )?{name}(?:['’]s?)?(?: reasoning)?\] ?(.*)",
        "candidacy": rf"\[{name}\] - Candidacy",
        SPEECH: rf"(?:\s{{0,4}}🎤 {name} ?:|\[{name}\]) ?(.*)",
        WHISPER: rf"  {name}: ?((?:\"|proposes to ).*)",
        "mayor_vote": rf"\[ACTION\] ({name} voted for mayor: {name})",
        "mayor": rf"🏆 ({name} is elected mayor of the village!)",
        "night": r"🌙 NIGHT (\d{1,4})",
        "day": r"☀ DAY (\d{1,4})",
        "seen": rf"\s{{0,4}}\[VISION RESULT\] {name} discovers that {name} is an? (\w{{1,20}})",
        "wanted": rf"\[CONSENSUS\] Wolves agree on: {name}",
        "saved": rf"\[WITCH\] The life potion has been used to save {name}\.",
        "poisoned": rf"\[WITCH\] {name} .{{0,40}}death potion on {name}\.",
        "vote": rf"🗳 {{0,4}}{name} voted for ?: {name}",
        "out": rf"🎭 Game Master ?: .{{0,40}}[.,] {name} (?:is|has been|est) (?:eliminated|éliminée?)"
        r"\W{0,4}(?:.{1,20}: |.{1,12} was an? )(\w{1,20})",
        "found": r"🎭 Game Master ?: 💀 (.{1,8000})",
        "told": r"(?:🎭 Game Master ?: |🏛 (?=The mayor ))(.{0,2000})",
        "end": r"🎯 END OF GAME",
        "winner": r"🏆 Winners? ?: (.{1,200})",
        "again": r"\s{0,4}\[R(?:EASON|eason)\]",
        "other": r"={10}|-{3} [A-Z ]{1,60} -{3}|📝 |💬 Phase|🏛|📋 |📊 |💪 |⚖|👥 |🌙 === |🎯|⏱|✅ Candidacy"
        rf"|🗳 Voting phase| Mayor's power|\s{{0,4}}(?:✅|➖) {name} is (?:not )?running|\s{{0,4}}\[SEER CHOICE\]"
        r"|\[WOLVES PRIVATE CHANNEL\]|(?:Wolves present|Possible targets): |\[Wolf consultation round"
        rf"|\[THE GM DETERMINES|\[Speaking round|\[VOTE RESULTS\]|🎭 \[ROLE REVELATION\]"
        rf"|\S{{1,8}} {name} : \w{{1,20}} \(|{name} ?: \d{{1,3}} vote\(s\)|{name} → |(?:END OF )?(?:Game|GAME) \d",
        "private": r"\s{0,4}(\[[A-Z][A-Z ]{2,40}\].{0,500}|🐺 Betrayal!.{0,500})",
    }
    return {kind: re.compile(pattern) for kind, pattern in told.items()}


class _Game:
    """A game while it is read."""

    def __init__(self, source: Source, tally: Tally, title: str = "") -> None:
        self.roles: dict[str, str] = {}
        self.next_title = title
        """The number of the game, which stands above its players."""
        self._source = source
        self._tally = tally
        self._record = Record(str(source.path), tally)
        self._facts: dict[str, Any] = {}
        self._patterns: dict[str, re.Pattern[str]] = {}
        self._open: tuple[str, str, list[str]] | None = None
        """The channel, the speaker and the lines of what is being said or thought."""
        self._thoughts: dict[str, str] = {}
        self._night: dict[str, str] = {}
        """Whom the wolves wanted, the witch saved or poisoned."""
        self._morning: list[str] = []
        """Who was found dead, as it is told when the day begins."""
        self._strange = 0
        self._is_begun = False

    def seat(self, seats: str) -> None:
        """Learn the players, by whose names the other lines are told apart."""
        self.roles = {match[2]: ROLES.get(match[4].lower(), match[4].upper()) for match in SEAT.finditer(seats)}
        check_table(self.roles, str(self._source.path))
        self._patterns = _patterns("|".join(map(re.escape, self.roles)) or r"(?!)")
        self._facts["game"] = self.next_title

    def take(self, line: str) -> None:
        """Read a line: it begins something, or goes on with what is said."""
        if title := TITLE.fullmatch(line):
            self.next_title = title[1]
        found = ((kind, match) for kind, pattern in self._patterns.items() if (match := pattern.match(line)))
        kind, match = next(found, ("", None))
        if match:
            self._close()
            parts = [part for part in match.groups() if part is not None]
            if kind in (SPEECH, WHISPER, THOUGHT):
                self._open = (kind, parts[0], [parts[1]])
            elif kind == "again":  # the thought before, once more
                self._open = (THOUGHT, "", [])
            else:
                self._happens(kind, parts)
        elif self._open:
            self._open[2].append(line)
        elif (about := ABOUT.fullmatch(line)) and not self._record.turns:
            self._facts[about[1]] = about[2].strip().strip("'")
        elif self.roles:
            self._strange += bool(line.strip())

    def _close(self) -> None:
        """End what was being said."""
        if self._open is None:
            return
        (kind, name, lines), self._open = self._open, None
        text, target = "\n".join(lines).strip(), ""
        if kind == THOUGHT:
            self._thoughts[name] = text
            return
        if kind == WHISPER and (match := WANTS.fullmatch(text)):
            text, target = match[1] or "", match[2] or ""
        if text or not target:
            self._record.say(name, text, kind, facts=self._thought(name))
        if target:
            self._record.happen("attack_vote", name, target)

    def _thought(self, name: str) -> dict[str, str]:
        thought = self._thoughts.pop(name, "")
        return {"reasoning": thought} if thought else {}

    def _happens(self, kind: str, parts: list[str]) -> None:
        record, night = self._record, self._night
        match kind:
            case "candidacy" if not self._is_begun:
                self._wake(0)
            case "mayor_vote":
                self._reason(parts[1], "mayor", parts[2])
                record.happen("announce", text=parts[0])
            case "mayor":
                self._facts["mayor"] = parts[1]
                record.happen("announce", text=parts[0])
            case "night":
                record.day = int(parts[0]) - 1
                record.happen("night")
            case "day":
                self._wake(int(parts[0]))
            case "seen":
                record.happen("divine", parts[0], parts[1], ROLES.get(parts[2].lower(), parts[2]))
                self._reason(parts[0], "divine", parts[1])
            case "wanted" | "saved":
                night[kind] = parts[0]
                if kind == "saved":
                    self._reason(self._witch, "guard", parts[0])
                    record.happen("guard", self._witch, parts[0], "antidote")
            case "poisoned":
                night[kind] = parts[1]
                self._reason(parts[0], "poison", parts[1])
                record.happen("know", parts[0], parts[1], text=f"You used the poison on {parts[1]}.")
            case "vote":
                record.happen("vote", parts[0], parts[1])
                self._reason(parts[0], "vote", parts[1])
            case "out":
                record.happen("execute", target=parts[0], result=ROLES.get(parts[1].lower(), parts[1].upper()))
            case "found":
                self._dawn(parts[0])
            case "told" if parts[0].startswith("The mayor ") or not any(name in parts[0] for name in self.roles):
                record.happen("announce", text=parts[0])
            case "told" | "private":
                self._facts.setdefault("private", []).append(parts[0])
            case "end":
                self._dawn("")
                self._tell_morning()
                record.happen("end")
            case "winner":
                self._facts.setdefault("Winners", parts[0])

    @property
    def _witch(self) -> str:
        return next((name for name, role in self.roles.items() if role == "WITCH"), "")

    def _wake(self, day: int) -> None:
        self._dawn("")
        self._is_begun = True
        self._record.day = day
        self._record.happen("day")
        self._tell_morning()

    def _dawn(self, found: str) -> None:
        """The outcome of the night, when somebody is found dead, or else when the day begins."""
        night, self._night = self._night, {}
        dead = [name for name in self.roles if re.search(rf"\b{re.escape(name)}\b", found)]
        if victim := night.get("wanted"):
            self._record.happen("attack", target=victim, result="killed" if victim in dead else "guarded")
        for name in dead:
            if name != victim:
                self._record.happen("death", target=name, result="poisoned" if name == night.get("poisoned") else "")
        self._morning += [found] if found else []

    def _tell_morning(self) -> None:
        for text in self._morning:
            self._record.happen("announce", text=text)
        self._morning = []

    def _reason(self, name: str, what: str, target: str) -> None:
        """Keep what a player thought before doing something."""
        if thought := self._thoughts.pop(name, ""):
            reason = {"day": self._record.day, "player": name, "what": what, "target": target, "reasoning": thought}
            self._facts.setdefault("reasons", []).append(reason)

    def conversation(self) -> Iterator[Conversation]:
        """Yield the game, if anything was said."""
        self._close()
        self._dawn("")
        if self._strange:
            self._tally.note(self._source.path, f"skipped {self._strange} lines that are no records")
        models = {side: self._facts.get(f"{side.title()} model", "") for side in ("villager", "werewolf")}
        players = [
            Player(
                name,
                role,
                facts={"model": model} if (model := models["werewolf" if role == WEREWOLF else "villager"]) else {},
            )
            for name, role in self.roles.items()
        ]
        won = str(self._facts.get("Winners") or self._facts.get("Winner") or "").lower()
        winner = WEREWOLF if won.startswith(("wol", "werewol")) else VILLAGER if won.startswith("villag") else ""
        group = f"werewolf_bench {self._facts.get('game') or self._source.path.stem}"
        yield from self._record.conversation(
            "werewolf-bench", group, players, winner=winner, votes_are_public=True, facts=self._facts
        )


FORMAT = Format(
    title="Werewolf-bench game (Foaster.ai)",
    documentation="https://github.com/Foaster-ai/Werewolf-bench",
    notes=(
        "`Game_35.txt`; speeches of candidates for mayor are day 0; the wolves' talk at night is their whisper; the "
        "witch's life potion counts as a guard; what a player thought before a line is kept beside it as a fact"
    ),
    claims=claims,
    read=read,
)
