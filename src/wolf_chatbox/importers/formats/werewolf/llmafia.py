"""LLMafia: games of mafia between people and one language model (Eckhaus et al. 2025).

A game is a folder: config.json, player_names.txt, mafia_names.txt, *_vote.txt, who_wins.txt, game_start_time.txt, and
three chats of lines `[14:16:47] Name: text`: the day's, the mafia's at night, and the manager's, who is no player.
Later games of the same program are a Turing test without nights: the people look for the one AI among them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from dataclasses import replace
from typing import Any, NamedTuple

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation, parse_json
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.game import VILLAGER, WEREWOLF, Player
from wolf_chatbox.importers.files.source import Source, clean, share_of_lines
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.games import Record, fields, is_json, items, rest, words

CONFIG, DAY, NIGHT, MANAGER, WINNER = (
    "config.json",
    "public_daytime_chat.txt",
    "public_nighttime_chat.txt",
    "public_manager_chat.txt",
    "who_wins.txt",
)
PLAYERS, MAFIA, START = "player_names.txt", "mafia_names.txt", "game_start_time.txt"
BESIDE = (
    r".{1,64}_(?:vote|chat|log|status|survey)\.txt|(?:player|mafia|real)_names\.txt|game_start_time\.txt|who_wins\.txt"
    r"|remaining_players\.txt|phase_status\.txt|all_messages\.txt|notes\.txt"
)
"""Names of files of a game whose content does not show it."""
LINE = re.compile(r"\[(\d\d):(\d\d):(\d\d)\] ([^:\n]{1,64}): (.*)")
VOTE = re.compile(r"(.{1,64}?) voted for (.{1,64})")
OUT = re.compile(r"(.{1,64}?) was (?:voted out\. Their role was|eliminated\. They were:) (\w{1,64})")
ROLES = {"mafia": WEREWOLF, "bystander": VILLAGER, "ai": WEREWOLF, "imposter": WEREWOLF, "human": VILLAGER}
WINS = {"mafia wins": WEREWOLF, "bystanders win": VILLAGER, "ai wins": WEREWOLF, "humans win": VILLAGER}
MANAGER_NAME = "Game-Manager"
HALF_A_DAY = 12 * 3600
KEYS = re.compile(r"\x1b\[[\d;]{0,16}[A-Za-z~]")
"""What a terminal writes for keys such as an arrow."""


class Line(NamedTuple):
    clock: str
    at: int
    """Seconds of the day when it reached the chat, never before the line above it."""
    name: str
    text: str


def claims(head: str) -> bool:
    if head.lstrip().startswith("{"):
        return is_json(head) and bool(re.search(r'"is_mafia"\s*:', head)) and bool(re.search(r'"is_llm"\s*:', head))
    if "] Game-Manager: " in head:
        return share_of_lines(head, LINE) > 0.9
    return head.strip().rstrip("!").lower() in WINS


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the game in the folder of the file; from a file alone, what it holds."""
    given = {_kind(part): part for part in (source, *source.more)}
    texts = {
        name: given[name].text() if name in given else _beside(source, name, config)
        for name in (CONFIG, PLAYERS, MAFIA, WINNER, START)
    }
    chats: dict[str, list[Line]] = {}
    whispers: set[str] = set()
    for name in (MANAGER, NIGHT, DAY):
        chat = given.get(name) or _open(source, name, config)
        begin = chats[MANAGER][0].at if chats.get(MANAGER) else None
        chats[name] = _lines(chat, begin, whispers, tally)
        if name == NIGHT and chat:
            whispers.update(chat.lines())
    lacking = [name for name in (CONFIG, MANAGER, DAY) if not (texts.get(name) or chats.get(name))]
    if lacking:
        tally.note(source.folder, f"an LLMafia game without {', '.join(lacking)}; pass the whole folder")
    record = Record(str(source.path), tally)
    _play(record, chats, tally)
    where = given[CONFIG].path if CONFIG in given else source.folder / CONFIG
    settings = fields(parse_json(texts[CONFIG], str(where))) if texts[CONFIG].strip() else {}
    winner = WINS.get(texts[WINNER].strip().rstrip("!").lower(), "")
    if winner:
        record.happen("end")
    names = [line.name for line in (*chats[DAY], *chats[NIGHT]) if line.name != MANAGER_NAME]
    facts = rest(settings, "players") | {"who_wins": texts[WINNER].strip(), "game_start_time": texts[START].strip()}
    group = f"llmafia {source.folder.name or source.path.stem}"
    players = [_with_vote(player, source, config) for player in _players(settings, texts, names)]
    public = settings.get("anonymous_voting") is not True
    yield from record.conversation("llmafia", group, players, winner=winner, votes_are_public=public, facts=facts)


def _kind(source: Source) -> str:
    """Which file of a game this is, by its name or by what the manager says in it."""
    name, head = source.path.name, source.head
    if name in (CONFIG, DAY, NIGHT, MANAGER, WINNER):
        return name
    if head.lstrip().startswith("{"):
        return CONFIG
    for mark, kind in (
        ("was voted out. ", MANAGER),
        ("was eliminated. ", MANAGER),
        ("Now it's ", MANAGER),
        ("Nighttime has ended", NIGHT),
        ("Daytime has ended", DAY),
        ("Discussion phase has ended", DAY),
    ):
        if mark in head:
            return kind
    if claims(head) and "] Game-Manager: " not in head:
        return WINNER
    raise DataError(
        f"{source.path}: cannot tell which chat of a game this is. Pass the game's folder, or rename it to {DAY}."
    )


def _open(source: Source, name: str, config: ReadConfig) -> Source | None:
    """The file of this name beside the given one, unless it is empty."""
    path = source.folder / name
    return Source.open(path, config.encoding) if path.is_file() and path.read_bytes().strip() else None


def _beside(source: Source, name: str, config: ReadConfig) -> str:
    found = _open(source, name, config)
    return found.text() if found else ""


def _lines(source: Source | None, begin: int | None, whispers: Set[str], tally: Tally) -> list[Line]:
    """The lines of a chat in the order they reached it; `begin` is the second of the day when the game began.

    After a crash the game wrote all players' lines again into the day's chat, whispers too. Lines that are there
    already, with an earlier time, and lines of the night's chat are dropped and counted. The manager is no player.
    """
    found: list[Line] = []
    texts: list[list[str]] = []
    seen: set[str] = set()
    latest = -1
    again = False
    for line in source.lines() if source else ():
        match = LINE.match(line)
        if not match:
            if found and line.strip():
                texts[-1].append(line.rstrip())
            elif line.strip():
                tally.dropped["no speaker"] += 1
            continue
        clock, name, text = match[0][1:9], match[4].strip(), match[5]
        at = _seconds(clock) or 0
        begin = at if begin is None else begin
        if begin - at > HALF_A_DAY:  # past midnight
            at += 2 * HALF_A_DAY
        again = name != MANAGER_NAME and (line in whispers or (line in seen and (again or at < latest)))
        if again:
            tally.dropped["line written twice"] += 1
            continue
        seen.add(line)
        latest = max(latest, at)
        found.append(Line(clock, latest, name, ""))
        texts.append([text])
    return [line._replace(text="\n".join(text)) for line, text in zip(found, texts)]


def _seconds(clock: str) -> int | None:
    match = re.fullmatch(r"\s*(\d\d):(\d\d):(\d\d)\s*", clock)
    return int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3]) if match else None


def _play(record: Record, chats: dict[str, list[Line]], tally: Tally) -> None:
    """Merge the three chats: the manager's lines, and before each the open chat's lines up to its time."""
    chat = {"day": iter(chats[DAY]), "night": iter(chats[NIGHT])}
    waiting = {phase: next(lines, None) for phase, lines in chat.items()}
    phase = ""

    def flush(phase: str, until: float) -> None:
        while (line := waiting.get(phase)) is not None and line.at <= until:
            _say(record, line, phase, tally)
            waiting[phase] = next(chat[phase], None)

    morning = ""
    for line in chats[MANAGER]:
        flush(phase, line.at)
        out = OUT.match(line.text)
        if line.text.startswith(("Now it's Daytime", "Now it's Discussion")) and phase != "day":
            phase = "day"
            record.day += 1
            record.happen("day", text=line.text)
        elif line.text.startswith("Now it's Nighttime") and phase != "night":
            phase = "night"
            record.happen("night", text=line.text)
        elif out and phase == "night":
            record.happen("attack", target=out[1], result="killed")
            morning = line.text  # everybody reads it, with the victim's role, after the night
        elif out:
            record.happen("execute", target=out[1], result=ROLES.get(out[2].lower(), out[2].upper()))
            if "eliminated" in line.text:
                phase = ""  # no night comes before the next day
        else:
            record.happen("announce", text=line.text)
        if morning and phase == "day":
            record.happen("announce", text=morning)
            morning = ""
    flush(phase, float("inf"))
    if morning:
        record.happen("announce", text=morning)
    for phase in ("day", "night"):
        if waiting[phase] is not None:
            if not chats[MANAGER]:
                record.day = 1
                record.happen("day" if phase == "day" else "night")
            flush(phase, float("inf"))


def _say(record: Record, line: Line, phase: str, tally: Tally) -> None:
    if line.name != MANAGER_NAME:
        text = _typed(line.text)
        if text != line.text:
            tally.changed["corrected while typing"] += 1
        record.say(line.name, text, "whisper" if phase == "night" else "", facts={"clock": line.clock})
    elif vote := VOTE.fullmatch(line.text.strip()):
        if vote[1] in record.dead:  # a crash repeats the last votes of the dead
            tally.dropped["vote by a dead player"] += 1
        else:
            record.happen("attack_vote" if phase == "night" else "vote", vote[1], vote[2])
    elif phase == "day":
        record.happen("announce", text=line.text)
    else:
        tally.dropped["system message"] += 1  # only the mafia is called to vote


def _typed(text: str) -> str:
    """What the writer's screen showed: backspaces remove a character, other control keys do nothing."""
    if text.isprintable():
        return text
    shown: list[str] = []
    for character in KEYS.sub("", text):
        if character == "\b":
            shown[-1:] = []
        elif character.isprintable() or character in "\n\t":
            shown.append(character)
    return "".join(shown)


def _players(settings: dict[str, Any], texts: dict[str, str], speakers: list[str]) -> Iterator[Player]:
    configured = [player for player in map(fields, items(settings.get("players"))) if player.get("name")]
    for player in configured:
        mafioso = player.get("is_mafia")
        role = (WEREWOLF if mafioso else VILLAGER) if isinstance(mafioso, bool) else ""
        yield Player(words(player["name"]), role, facts=rest(player, "name"))
    if configured:
        return
    mafia = {clean(name) for name in texts[MAFIA].split("\n")} - {""}
    for name in dict.fromkeys(map(clean, texts[PLAYERS].split("\n") if texts[PLAYERS] else speakers)):
        if name:
            yield Player(name, (WEREWOLF if name in mafia else VILLAGER) if mafia else "")


def _with_vote(player: Player, source: Source, config: ReadConfig) -> Player:
    if not re.fullmatch(r"[\w .-]{1,40}", player.name):
        return player
    vote = _beside(source, f"{player.name}_vote.txt", config).strip()
    return replace(player, facts={**player.facts, "last_vote": vote}) if vote else player


FORMAT = Format(
    title="LLMafia game",
    documentation="https://github.com/niveck/LLMafia",
    notes=(
        "a folder per game: name it, or the folder of folders. The night chat is the mafia's whisper. Lines that the "
        "game wrote again after a crash are dropped and counted; backspaces are applied"
    ),
    claims=claims,
    read=read,
    joins=True,
    beside=BESIDE,
)
