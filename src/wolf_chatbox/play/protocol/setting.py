"""From the `setting` of a packet to the table that it describes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from wolf_chatbox.errors import ConfigError, DataError
from wolf_chatbox.game import VILLAGER, WEREWOLF
from wolf_chatbox.importers.shared.games import fields
from wolf_chatbox.werewolf.table import ROLES, SETS, TableConfig

Language = Literal["en", "ja"]
UNLIMITED = 99
"""Utterances a day where the server sets no limit."""


def table_of(setting: Mapping[str, Any], players: int, language: Language) -> TableConfig:
    """The table of a packet's `setting`; what it leaves out has no limit, or the contest's default.

    Raises DataError for one that no table of ours can have.
    """
    talk, whisper = fields(setting.get("talk")), fields(setting.get("whisper"))
    vote, attack, times = (fields(setting.get(key)) for key in ("vote", "attack_vote", "timeout"))
    length, duration = fields(talk.get("max_length")), number(talk.get("duration"))
    talks, most = _limits(talk)
    whispers, _ = _limits(whisper) if whisper else (None, None)
    letters, after = number(length.get("base_length")) or 0, number(length.get("mention_length")) or 0
    milliseconds = {key: number(times.get(key)) for key in ("action", "response")}
    try:
        roles = _roles(fields(setting.get("role_num_map")), players)
        wolves = TableConfig(players=players, roles=roles).wolves
        return TableConfig(
            players=players,
            roles=roles,
            language=language,
            talk="anytime" if duration else "turns",
            talks=talks,
            talk_rounds=None if most == talks * players else most or None,
            talk_minutes=(duration or 600_000) / 60_000,
            whispers=None if whispers == (4 if wolves > 1 else 0) else whispers,
            letters=letters,
            letters_after_name=None if after == letters else after,
            letters_a_day=number(length.get("per_agent")),
            letters_at_once=number(length.get("per_talk")) or None,
            count_spaces=length.get("count_spaces") is True,
            count_words=length.get("count_in_word") is True,
            skips=number(talk.get("max_skip")) or 0,
            ballots=number(vote.get("max_count")) or 1,
            attack_ballots=number(attack.get("max_count")) or 1,
            self_votes=vote.get("allow_self_vote") is not False,
            no_attack=attack.get("allow_no_target") is True,
            public_votes=setting.get("vote_visibility") is not False,
            days=number(setting.get("max_day")) or None,
            answer_seconds=(milliseconds["action"] or 60_000) / 1000,
            probe_seconds=(milliseconds["response"] or 120_000) / 1000,
        )
    except ConfigError as error:
        raise DataError(f"the server's game cannot be played: {error}") from error


def number(value: Any) -> int | None:
    """A whole number of at least 0; None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _limits(speech: Mapping[str, Any]) -> tuple[int, int | None]:
    """Utterances of a player, and of all players, in a phase."""
    counts = fields(speech.get("max_count"))
    each, most = number(counts.get("per_agent")), number(counts.get("per_day"))
    return (UNLIMITED if each is None else each) if speech else 4, most


def _roles(counts: Mapping[str, Any], players: int) -> tuple[str, ...]:
    """Roles as a table takes them; empty for the contest's. An unknown role counts as a villager's."""
    known: dict[str, int] = dict.fromkeys(ROLES, 0)
    for role, count in counts.items():
        known[role if role in ROLES else VILLAGER] += number(count) or 0
    found = {role: number for role, number in known.items() if number}
    if found == SETS.get(players) or (sum(found.values()) != players and players in SETS):
        return ()
    if sum(found.values()) != players:
        found = {WEREWOLF: 1, VILLAGER: players - 1}
    return tuple(f"{role.lower()}={number}" for role, number in found.items())
