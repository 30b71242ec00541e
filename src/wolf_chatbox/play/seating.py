"""Who sits at a table: names, short profiles, which seats people have and who fills the others, and the game's id."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from wolf_chatbox.errors import ConfigError
from wolf_chatbox.play.player import Player
from wolf_chatbox.werewolf.rules import Village, deal
from wolf_chatbox.werewolf.table import TableConfig

_ENGLISH = (
    "Alice Bella Carol Clara Diana Edith Ellen Emily Fiona Helen Irene Julia Laura Lucy Nancy Nora Olivia Paula Rachel "
    "Susan Wendy Aaron Albert Brian Carl David Edward Felix Harold Henry Hugo Ivan Keith Martin Nathan Oscar Peter "
    "Ralph Thomas Walter"
)
_JAPANESE = (
    "陽子 直子 恵子 裕子 智子 京子 由紀子 久美子 香織 美穂 千尋 彩香 沙織 麻衣 奈緒 真理子 理恵 佳奈 結衣 美月 "
    "健太 大輔 直樹 翔太 拓也 和也 達也 亮太 浩二 誠一 雄介 隆之 康平 秀樹 正人 哲也 一郎 幸雄 修平 慎吾"
)
NAMES = {"en": tuple(_ENGLISH.split()), "ja": tuple(_JAPANESE.split())}
"""Common given names, by language."""
MANNERS: dict[str, tuple[str, ...]] = {
    "en": (
        "calm, and hears others out before judging",
        "cheerful, and says what comes to mind",
        "careful, and asks for reasons",
        "blunt, and speaks in short sentences",
        "friendly, and tries to keep the peace",
        "doubtful, and trusts nobody at first",
        "quick to decide, and seldom goes back on it",
        "dry and witty",
        "shy, and speaks up when it matters",
        "orderly, and counts who said what",
    ),
    "ja": (
        "落ち着いていて、人の話を聞いてから判断する",
        "明るく、思ったことをすぐ口にする",
        "慎重で、理由を確かめたがる",
        "率直で、短い言葉で話す",
        "親しみやすく、場をまとめようとする",
        "疑い深く、すぐには人を信じない",
        "決断が早く、あまり考えを変えない",
        "皮肉めいた冗談をよく言う",
        "内気だが、大事なときには意見を言う",
        "几帳面で、誰が何を言ったかを整理する",
    ),
}
LABELS = {"en": ("age", "manner"), "ja": ("年齢", "性格")}
AGES = range(18, 76)
LONGEST_NAME = 24
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""The digits of Crockford's base 32, in which a ULID is written: https://github.com/ulid/spec"""
Maker = Callable[[str], Callable[[int | str | None], Player]]
"""Makes players by what a person writes for them (`Cast.make`)."""


def names_for(number: int, language: str, seed: int | str | None, taken: Collection[str] = ()) -> list[str]:
    """Names that nobody has; none begins with another one as long as there are enough. At most 30."""
    order = list(NAMES.get(language, NAMES["en"]))
    random.Random(f"names {seed}" if seed is not None else None).shuffle(order)
    has = {name.casefold() for name in taken}
    free = [name for name in order if name.casefold() not in has]
    free.sort(key=lambda name: any(name.casefold().startswith(it) or it.startswith(name.casefold()) for it in has))
    if number > len(free):
        raise ConfigError("players", number, f"there are only {len(free)} names. Take fewer players.")
    return free[:number]


def profile_for(name: str, language: str, seed: int | str | None) -> str:
    """A short profile in the form of the contest's server: an age and a manner, in lines `label: value`."""
    chance = random.Random(f"profile {name} {seed}" if seed is not None else None)
    language = language if language in LABELS else "en"
    age, manner = LABELS[language]
    return f"{age}: {chance.choice(AGES)}\n{manner}: {chance.choice(MANNERS[language])}"


def new_game_id() -> str:
    """A ULID: 26 characters, in the order of time, as the contest's server has them."""
    number = time.time_ns() // 1_000_000 << 80 | secrets.randbits(80)
    return "".join(CROCKFORD[number >> 5 * place & 31] for place in reversed(range(26)))


def check_name(name: str, setting: str = "name") -> str:
    """The name of a person without spaces around it; raises ConfigError for one that cannot be said at a table."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable() or set("@,:") & set(name):
        problem = f"is no name: it needs 1 to {LONGEST_NAME} characters, without @, comma and colon."
        raise ConfigError(setting, name, problem)
    return name


def seat(table: TableConfig, humans: Sequence[str], fill: Sequence[str], seed: int | str | None) -> dict[str, str]:
    """Who sits where: by name, in the order of the seats, the player as it was written; empty for a person.

    The empty seats take what is in `fill`, from the beginning again when it is used up; the order of the seats follows
    from the seed. Raises ConfigError for more people or players than seats, and for two people of one name.
    """
    if len({name.casefold() for name in humans}) < len(humans):
        raise ConfigError("name", ", ".join(humans), "two people have the same name. Choose another one.")
    empty = table.players - len(humans)
    if empty < 0:
        raise ConfigError("players", table.players, f"{len(humans)} people have no seats. Take more players.")
    if len(fill) > empty or (empty and not fill):
        raise ConfigError("with", " ".join(fill), f"{empty} seats are empty. Give at most as many players, and one.")
    words = [*([""] * len(humans)), *(fill[at % len(fill)] for at in range(empty))]
    names = [*humans, *names_for(empty, table.language, seed, humans)]
    order = list(zip(names, words, strict=True))
    random.Random(f"seats {seed}" if seed is not None else None).shuffle(order)
    return dict(order)


def deal_to(
    table: TableConfig, names: Sequence[str], seed: int | str | None, wishes: Mapping[str, str]
) -> dict[str, str]:
    """Deal the roles by chance, but give some players the role that they wish; raises ConfigError for too many."""
    roles = deal(table, names, seed)
    for name, wish in wishes.items():
        if roles[name] == wish:
            continue
        has = [other for other, role in roles.items() if role == wish and wishes.get(other) != wish]
        if not has:
            raise ConfigError("seat_role", wish.lower(), "has no seat at this table. Choose one of --roles, or any.")
        other = random.Random(f"wish {name} {seed}" if seed is not None else None).choice(has)
        roles[name], roles[other] = wish, roles[name]
    return roles


@dataclass(frozen=True)
class Sitting:
    """A game that can begin: the village, and its players by name."""

    village: Village
    players: Mapping[str, Player]

    @property
    def teams(self) -> dict[str, str]:
        """Who plays each seat, for logs."""
        return {name: player.team for name, player in self.players.items()}


def sit_down(
    table: TableConfig,
    people: Mapping[str, Player],
    fill: Sequence[str],
    make: Maker,
    seed: int | str | None = None,
    wishes: Mapping[str, str] | None = None,
) -> Sitting:
    """Seat people and players at a table and deal the roles: the same seed gives the same seats, roles and players.

    `people` are the players behind which somebody sits, by name; `make` makes those of `fill` (`Cast.make`).
    """
    seed = secrets.randbits(32) if seed is None else seed
    seats = seat(table, list(people), fill, seed)
    roles = deal_to(table, list(seats), seed, wishes or {})
    profiles = {name: profile_for(name, table.language, seed) for name, word in seats.items() if word}
    village = Village(table, roles, seed, game_id=new_game_id(), profiles=profiles)
    players = {name: make(word)(f"{name} {seed}") if word else people[name] for name, word in seats.items()}
    return Sitting(village, players)
