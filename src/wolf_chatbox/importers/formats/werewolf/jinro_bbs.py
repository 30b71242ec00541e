"""Villages of the Japanese BBS werewolf (人狼BBS) in the common archive XML that Jindolf writes.

Schema: http://jindolf.sourceforge.jp/xml/xsd/bbsArchive-110421.xsd, and 091001 before it (both offline; the programs
that write it are at https://github.com/olyutorskii). A period is a day: first the results of the night before, then
the talk.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.game import VILLAGER, WEREWOLF, Kind, Player
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.games import Record
from wolf_chatbox.importers.shared.messages import from_unix
from wolf_chatbox.importers.streams.xml_stream import Element, elements

CHANNELS = {"public": "", "wolf": "whisper", "private": "thought", "grave": "grave"}
ROLES = {
    "innocent": VILLAGER,
    "wolf": WEREWOLF,
    "seer": "SEER",
    "shaman": "MEDIUM",
    "madman": "POSSESSED",
    "hunter": "BODYGUARD",
    "frater": "MASON",
    "hamster": "FOX",
}
WINS = {"winVillage": VILLAGER, "winWolf": WEREWOLF, "winHamster": "FOX"}
BALLOTS = ("counting", "counting2", "execution")
SUDDEN = ("suddenDeath", "vanish")
NIGHT = ("judge", "assault", "guard", "murdered", "noMurder")
ANNOUNCED = (
    *("startEntry", "onStage", "startMirror", "openRole", "startAssault", "survivor", "playerList", "panic"),
    *("shortMember", "checkout", "winVillage", "winWolf", "winHamster", "askEntry", "askCommit", "noComment"),
    *("stayEpilogue", "gameOver"),
)
"""What everybody reads; nobody is shown the other events of an archive."""
STAMP = re.compile(r"mes(\d{9,11})")
ZONE = re.compile(r"([+-])(\d\d):(\d\d)$")


@dataclass
class Village:
    """What is known of a village so far; avatars and their names by id."""

    facts: dict[str, Any] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    avatars: dict[str, dict[str, str]] = field(default_factory=dict)
    infos: dict[str, dict[str, str]] = field(default_factory=dict)
    winner: str = ""
    votes_are_public: bool = True

    def name(self, avatar: str | None) -> str:
        return self.names.get(avatar or "", avatar or "")

    def role(self, avatar: str) -> str:
        role = self.infos.get(avatar, {}).get("role", "")
        return ROLES.get(role, role.upper())


def claims(head: str) -> bool:
    return head.lstrip("\ufeff \t\r\n").startswith("<") and bool(
        re.search(r"<village\s[^>]{0,4000}(?:jindolf|landId|graveIconURI)", head)
    )


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the village. A file that is cut off gives what it holds, without the roles, which are at its end."""
    village, record = Village(), Record(str(source.path), tally)
    cut: DataError | None = None
    divined: list[tuple[int, str]] = []
    try:
        _periods(source, village, record, divined)
    except DataError as error:
        cut = error
    for at, target in divined:  # the archive names the divined; the result follows from its role
        record.amend(at, {WEREWOLF: WEREWOLF, "": ""}.get(village.role(target), "HUMAN"))
    group = f"jinro_bbs {village.facts.get('landId', '')} {village.facts.get('vid', source.path.stem)}"
    yield from record.conversation(
        "jinro-bbs",
        " ".join(group.split()),
        _players(village),
        winner=village.winner,
        votes_are_public=village.votes_are_public,
        facts=village.facts,
    )
    if cut:
        raise cut


def _periods(source: Source, village: Village, record: Record, divined: list[tuple[int, str]]) -> None:
    period: _Period | None = None
    for element in elements(source, ("village", "avatarList", "period")):
        if element.opens:
            if element.tag == "village":
                village.facts |= element.attributes
            elif element.tag == "period":
                if period:
                    period.close()
                period = _Period(element.attributes, village, record, divined)
                village.facts.setdefault("periods", []).append(element.attributes)
        elif element.tag == "avatar":
            avatar = element.attributes.get("avatarId", "")
            village.avatars[avatar] = element.attributes
            village.names[avatar] = element.attributes.get("shortName") or element.attributes.get("fullName") or avatar
        elif period:
            period.take(element)
    if period:
        period.close()


class _Period:
    """A day. The events before its talk are held until the talk begins, and then added in the order of the game."""

    def __init__(
        self, attributes: dict[str, str], village: Village, record: Record, divined: list[tuple[int, str]]
    ) -> None:
        self.kind = attributes.get("type", "progress")
        number = attributes.get("day", "")
        self.day = int(number) if re.fullmatch(r"\d{1,4}", number, re.ASCII) else record.day + 1
        self.village, self.record, self.divined = village, record, divined
        self.before: list[Element] | None = []

    def take(self, element: Element) -> None:
        if element.tag == "playerList":
            for child in element.children:
                if child.tag == "playerInfo" and "avatarId" in child.attributes:
                    self.village.infos[child.attributes["avatarId"]] = child.attributes
        if element.tag in WINS:
            self.village.winner = WINS[element.tag]
        if element.tag == "talk":
            self.close()
            self._talk(element)
        elif self.before is not None:
            self.before.append(element)
        else:
            self._happen(element)

    def close(self) -> None:
        """Add the held events: yesterday's votes, the night, then the new day."""
        if self.before is None:
            return
        held, self.before = self.before, None
        for tags in (BALLOTS, SUDDEN):
            for element in (event for event in held if event.tag in tags):
                self._happen(element)
        night = [event for event in held if event.tag in NIGHT]
        if night or (self.kind == "progress" and self.day > 1):
            self.record.happen("night")
            self._night(night)
        if self.kind != "prologue":
            self.record.day = self.day
            self.record.happen("day" if self.kind == "progress" else "end")
        for element in held:
            if element.tag not in (*BALLOTS, *SUDDEN, *NIGHT):
                self._happen(element)

    def _talk(self, element: Element) -> None:
        attributes = dict(element.attributes)
        speaker, kind = attributes.pop("avatarId", ""), attributes.pop("type", "public")
        xname = attributes.pop("xname", "")
        # An unknown kind of talk may be secret: only its speaker hears it.
        channel = CHANNELS.get(kind, "thought")
        if kind not in CHANNELS:
            attributes["type"] = kind
        time = _time(xname, attributes.get("time", ""))
        facts = {
            "xname": xname,
            **(attributes if time is None else {key: value for key, value in attributes.items() if key != "time"}),
        }
        self.record.say(
            self.village.name(speaker),
            element.text(),
            channel,
            time,
            {key: value for key, value in facts.items() if value},
        )

    def _happen(self, element: Element) -> None:
        names = self.village.name
        if element.tag in BALLOTS:
            self._ballot(element)
        elif element.tag in SUDDEN:
            self.record.happen(
                "death",
                target=names(element.attributes.get("avatarId")),
                result="突然死" if element.tag == "suddenDeath" else "失踪",
            )
        elif element.tag in NIGHT:
            self._night([element])
        elif element.tag in ANNOUNCED:
            if element.tag == "onStage" and (
                avatar := self.village.avatars.get(element.attributes.get("avatarId", ""))
            ):
                avatar["entryNo"] = element.attributes.get("entryNo", "")
            self.record.happen("announce", text=element.text())
        else:
            other = {"tag": element.tag, **element.attributes, "text": element.text()}
            self.village.facts.setdefault("other_events", []).append(other)

    def _ballot(self, element: Element) -> None:
        """`counting` is a public ballot; `counting2` a secret one, whose counts are in `execution`."""
        for vote in element.children:
            if vote.tag == "vote":
                voter, target = (self.village.name(vote.attributes.get(key)) for key in ("byWhom", "target"))
                self.record.happen("vote", voter, target)
        if element.tag != "counting":
            self.village.votes_are_public = False
        if element.tag != "counting2":
            self.record.happen(
                "execute",
                target=self.village.name(element.attributes.get("victim")),
                text=element.text() if element.tag == "execution" else "",
            )

    def _night(self, elements: list[Element]) -> None:
        kinds: dict[str, Kind] = {"judge": "divine", "guard": "guard", "assault": "attack_vote"}
        wanted: set[str] = set()
        last = ""
        for element in elements:
            actor, target = (self.village.name(element.attributes.get(key)) for key in ("byWhom", "target"))
            if element.tag == "judge":
                self.divined.append((self.record.happen("divine", actor, target), element.attributes.get("target", "")))
            elif element.tag in kinds:
                self.record.happen(
                    kinds[element.tag], actor, target, text=element.text() if element.tag == "assault" else ""
                )
                if element.tag == "assault":
                    wanted.add(target)
                    last = target
        for element in elements:
            dead = [
                self.village.name(child.attributes.get("avatarId"))
                for child in element.children
                if child.tag == "avatarRef"
            ]
            if element.tag == "murdered":
                # Another found dead was the hamster; nobody is told why.
                victim = next((name for name in dead if name in wanted), dead[0] if dead and not wanted else "")
                self.record.happen("attack", target=victim or last, result="killed" if victim else "guarded")
                for name in dead:
                    if name != victim:
                        self.record.happen("death", target=name)
            elif element.tag == "noMurder":
                self.record.happen("attack", target=last, result="guarded" if wanted else "")


def _players(village: Village) -> Iterator[Player]:
    """The players of the list at the end, in its order; without a list, the village's avatars."""
    for avatar in village.infos or village.avatars:
        facts = {**village.avatars.get(avatar, {}), **village.infos.get(avatar, {})}
        seat = facts.get("entryNo", "")
        yield Player(
            village.name(avatar),
            village.role(avatar),
            int(seat) if re.fullmatch(r"\d{1,3}", seat, re.ASCII) else None,
            facts=facts,
        )


def _time(xname: str, clock: str) -> datetime | None:
    """When a message was sent, in the village's time: its name holds the second, its time the zone."""
    stamp, zone = STAMP.match(xname), ZONE.search(clock)
    if not (stamp and zone):
        return None
    time = from_unix(stamp[1])
    shift = timedelta(hours=int(zone[2]), minutes=int(zone[3]))
    return time and (time + shift if zone[1] == "+" else time - shift)


FORMAT = Format(
    title="BBS werewolf archive (XML)",
    documentation="https://github.com/olyutorskii",
    notes=(
        "villages of the Japanese BBS werewolf, as Jindolf archives them; UTF-8 and Shift_JIS. Whispers, monologues "
        "and the talk of the dead are kept apart. A file that declares entities is refused; nothing outside of it "
        "is fetched"
    ),
    claims=claims,
    read=read,
)
