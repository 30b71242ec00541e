"""Two who answer the same: runs, their base models, or one run with other sampling; and what was voted on them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from math import comb
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from wolf_chatbox.config import EvaluateConfig, SamplingConfig
from wolf_chatbox.errors import ChatError, ConfigError, ModelError, WolfChatboxError
from wolf_chatbox.evaluate.entries import Exchange
from wolf_chatbox.evaluate.judging.guesses import wilson
from wolf_chatbox.evaluate.judging.pairs import Pair, Reply
from wolf_chatbox.evaluate.judging.ranking import ranking
from wolf_chatbox.evaluate.judging.votes import JUDGE, Vote, read_votes
from wolf_chatbox.evaluate.measure import Figure
from wolf_chatbox.files import new_file, remove
from wolf_chatbox.model.embedded import EMBEDDED, is_ready
from wolf_chatbox.model.hub import cached, hub_name, locate
from wolf_chatbox.model.voice import Reply as Drawn
from wolf_chatbox.page.apart import apart
from wolf_chatbox.page.room import PATIENCE
from wolf_chatbox.scene import Scene
from wolf_chatbox.talk.server.refusals import Refusal
from wolf_chatbox.talk.server.roster import Served

if TYPE_CHECKING:
    from wolf_chatbox.page.desk import Desk

POOL = 200
"""Held-out exchanges of a run to choose from, spread over its conversations."""
SURE = 0.05
"""A p value below which one of two is called better."""
NAME = 40
"""Characters of a voter's name."""
MODE = 0o600


@dataclass(frozen=True)
class Side:
    """One who answers."""

    run: str
    base: bool = False
    """Whether it is the run's base model, which speaks as the run does."""
    temperature: float | None = None
    """None: as saved with the run."""
    top_p: float | None = None

    @property
    def entry(self) -> str:
        """Its name in files of votes; no run's name has a colon."""
        changes = {"temperature": self.temperature, "top_p": self.top_p}
        changed = [f"{name}={value:g}" for name, value in changes.items() if value is not None]
        return " ".join([f"{self.run}:base" if self.base else self.run, *changed])


@dataclass(frozen=True)
class Match:
    """Two sides; the file of their votes follows from them and from what the runs are now."""

    one: Side
    other: Side
    records: str = ""
    """Fingerprint of the runs: one that was trained anew is another one."""

    @property
    def id(self) -> str:
        sides = sorted([self.one.entry, self.other.entry])
        return hashlib.sha256(json.dumps([*sides, self.records]).encode()).hexdigest()[:16]


class Score(NamedTuple):
    """How the first of two sides fares against the second.

    The interval is that of the Bradley-Terry scores, and at least Wilson's of the plain votes: resamples of a few votes
    that agree are all alike.
    """

    votes: int
    wins: int
    losses: int
    ties: int
    share: Figure
    """Of the votes, ties counted as halves, as the Bradley-Terry scores give it; with its interval."""
    better: int
    """1 or -1 where one is better for sure, else 0."""


class Compared(NamedTuple):
    """A comparison that was begun, and its votes."""

    match: Match
    path: Path
    when: datetime
    votes: list[Vote]

    @property
    def score(self) -> Score:
        return score(self.votes, self.match.one.entry, self.match.other.entry)


def match_of(desk: Desk, one: Side, other: Side) -> Match:
    """A match of two sides; raises ConfigError where they are the same, ModelError where a run is gone."""
    if one == other:
        raise ConfigError(
            "sides", one.entry, "is on both sides. Choose another run, its base model, or other sampling."
        )
    found = [desk.characters.find(side.run) for side in (one, other)]
    gone = next((side.run for side, run in zip((one, other), found) if run is None), None)
    if gone is not None:
        raise ModelError(f"{gone}: there is no such character any more. Choose another one.")
    records = sorted({json.dumps(run.record, sort_keys=True) for run in found if run})
    return Match(one, other, hashlib.sha256("\n".join(records).encode()).hexdigest()[:16])


def score(votes: Sequence[Vote], one: str, other: str) -> Score:
    """What some votes say of two entries."""
    ranks = {rank.entry: rank for rank in ranking(votes)}
    if not ranks:
        return Score(0, 0, 0, 0, Figure(None), 0)
    rank = ranks[one]
    found = [_chance(2 * part) for part in rank.score if part is not None]  # points are about the mean of the two
    plain = wilson(rank.wins + rank.ties / 2, len(votes))
    ends = [end for end in (*found, plain.low, plain.high) if end is not None]
    share = Figure(found[0], min(ends), max(ends))
    told = not min(ends) <= 0.5 <= max(ends) and sign_test(rank.wins, rank.losses) < SURE
    better = 0 if not told else 1 if rank.wins > rank.losses else -1
    return Score(len(votes), rank.wins, rank.losses, rank.ties, share, better)


def _chance(points: float) -> float:
    """How often somebody wins who has so many points more, as Elo's formula has it."""
    return float(1 / (1 + 10 ** (-points / 400)))


def sign_test(wins: int, losses: int) -> float:
    """The p value of "both win equally often", two-sided, without ties (the exact sign test).

    Beside the interval, as resamples of a few votes that all agree are all alike. Dixon & Mood 1946,
    https://doi.org/10.1080/01621459.1946.10501898.
    """
    count, most = wins + losses, max(wins, losses)
    return min(1.0, 2 * sum(comb(count, at) for at in range(most, count + 1)) / 2**count) if count else 1.0


# Votes in files.


def votes_path(folder: Path, match: Match) -> Path:
    return folder / f"{match.id}.jsonl"


def note_match(folder: Path, match: Match) -> None:
    """Write who is compared beside the votes, once; raises CheckpointError."""
    place = votes_path(folder, match).with_suffix(".json")
    if not place.exists():
        with new_file(place, overwrite=True, mode=MODE) as file:
            json.dump(asdict(match), file, ensure_ascii=False)


def compared(folder: Path) -> list[Compared]:
    """The comparisons with votes, the newest first; those whose files cannot be read are left out."""
    found = []
    for path in folder.glob("*.jsonl"):
        try:
            form = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
            match = Match(Side(**form["one"]), Side(**form["other"]), str(form["records"]))
            votes = _nameless(read_votes([path]), path)
            if votes:
                found.append(Compared(match, path, datetime.fromtimestamp(path.stat().st_mtime), votes))
        except (OSError, ValueError, KeyError, TypeError, WolfChatboxError):
            continue
    return sorted(found, key=lambda one: one.when, reverse=True)


def votes_on(folder: Path, match: Match) -> list[Vote]:
    """The votes on two sides; raises DataError where they cannot be read."""
    path = votes_path(folder, match)
    return _nameless(read_votes([path]), path) if path.exists() else []


def _nameless(votes: list[Vote], path: Path) -> list[Vote]:
    """Votes without a name, which the reader gives the file's."""
    return [vote._replace(voter="") if vote.voter == path.stem else vote for vote in votes]


def remove_votes(one: Compared) -> None:
    """Remove the votes of a comparison."""
    remove(one.path)
    remove(one.path.with_suffix(".json"))


def voter_name(given: str) -> str:
    """A name as it stands in a vote: one line, not too long, and never taken for a model's."""
    name = " ".join(given.split())[:NAME].strip()
    return name.removeprefix(JUDGE) if name.startswith(JUDGE) else name


# Who answers.


def is_at_hand(base: str) -> bool:
    """Whether a base model is on this machine; asks no other one."""
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    name = hub_name(base)
    try:
        if name is not None:
            return cached(name).is_dir()
        return is_ready(base.lower()) if base.lower() in EMBEDDED else locate(base).is_dir()
    except (LocalEntryNotFoundError, HFValidationError, OSError, ModelError):
        return False


class Contestants:
    """The sides with their engines: runs are the page's own, and one base model is kept beside them."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._base: tuple[str, Served] | None = None
        self._opening = asyncio.Lock()
        self._held_out: dict[tuple[tuple[str, ...], str], list[Exchange]] = {}

    async def served(self, side: Side) -> Served:
        """The engine of a side, loaded if it is not; raises ModelError, and what loading raises."""
        characters = self.desk.characters
        if not side.base:
            return await characters.served(side.run)
        async with self._opening:
            if self._base is None or self._base[0] != side.run:
                run = characters.find(side.run)
                if run is None:
                    raise ModelError(f"{side.run}: there is no such character any more. Choose another one.")
                await self.close()
                load = partial(characters.load, side.entry, str(run.folder), base=True)
                self._base = (side.run, await asyncio.to_thread(load))
            return self._base[1]

    async def held_out(self, match: Match) -> list[Exchange]:
        """What neither side's run has learnt; raises what `held_out` raises. The last match's are remembered."""
        runs = [self.desk.characters.find(name) for name in dict.fromkeys((match.one.run, match.other.run))]
        key = tuple(str(run.folder) for run in runs if run), match.records
        if key not in self._held_out:
            self._held_out = {key: await apart(held_out, key[0])}
        return self._held_out[key]

    async def close(self) -> None:
        """Free the base model's memory, once its replies have ended."""
        if self._base is not None:
            served, self._base = self._base[1], None
            served.gate.close()
            while served.gate.running or served.gate.waiting:
                await asyncio.sleep(0.05)
            await asyncio.to_thread(served.character.voice.engine.close)


async def draw(
    desk: Desk, served: Served, scene: Scene, sampling: SamplingConfig, over: Callable[[], bool] = lambda: False
) -> str:
    """A whole reply, in turn with all others that the engine draws; "" where the scene does not fit its context.

    Raises Refusal where too many wait, ModelError where the model fails.
    """
    await served.gate.enter(1, PATIENCE)
    try:
        loop = asyncio.get_running_loop()
        seed = random.getrandbits(32)
        return await loop.run_in_executor(desk.rooms.threads, _whole, served, scene, sampling, seed, over)
    finally:
        served.gate.leave()


def _whole(served: Served, scene: Scene, sampling: SamplingConfig, seed: int, over: Callable[[], bool]) -> str:
    try:
        reply: Drawn = served.character.voice.answer(scene, sampling, seed, over=over)
    except ChatError:
        return ""
    for _ in reply:
        pass
    return reply.text.strip()


async def both(contestants: Contestants, match: Match, scene: Scene, over: Callable[[], bool]) -> tuple[str, str]:
    """What both sides answer, when both have; raises as `draw` does, and what loading raises."""
    served = [await contestants.served(side) for side in (match.one, match.other)]
    asked = []
    for side, one in zip((match.one, match.other), served):
        sampling = one.character.sampling
        if side.base:  # with the run's own settings: models are compared, not settings
            sampling = (await contestants.served(Side(side.run))).character.sampling
        sampling = sampling.changed(temperature=side.temperature, top_p=side.top_p)
        asked.append(draw(contestants.desk, one, _as_known(one, scene), sampling, over))
    first, second = await asyncio.gather(*asked)
    return first, second


def _as_known(served: Served, scene: Scene) -> Scene:
    """The scene with a speaker that the model knows: the same one, else its own persona."""
    try:
        speaker = served.persona(scene.speaker or "")
    except Refusal:
        speaker = served.character.persona
    return Scene(scene.turns, speaker=speaker, opening=scene.opening, narrator=scene.narrator, observer=scene.observer)


def pair_of(match: Match, scene: Scene, texts: tuple[str, str], swapped: bool, conversation: int | None) -> Pair:
    """Two replies as they are shown."""
    first, second = (Reply(side.entry, text) for side, text in zip((match.one, match.other), texts))
    pair = Pair(scene.turns, scene.speaker or "", first, second, conversation)
    return pair.swapped() if swapped else pair


# Held-out exchanges.


def held_out(folders: Sequence[str], data: Sequence[str] = ()) -> list[Exchange]:
    """Exchanges of the runs' data that none of them learnt, spread over the conversations; slow for large data.

    `data` stands for the files that the first run names. Raises ConfigError for a run that does not say what it learnt,
    or whose files are private, and for runs that do not go together; DataError where files are gone, or all was learnt.
    """
    from wolf_chatbox.evaluate.contestants import find_runs, persona_of
    from wolf_chatbox.evaluate.held_out import exchanges, in_blocks
    from wolf_chatbox.evaluate.study import read
    from wolf_chatbox.model.light_tokenizer import load_light
    from wolf_chatbox.model.speech import Speech
    from wolf_chatbox.samples.rendering import Renderer

    config = EvaluateConfig(runs=tuple(folders), data=tuple(data))
    runs = find_runs(config, lambda text: None)
    first, persona = runs[0], persona_of(runs, None)
    _, divided = read(config, runs)
    tokenizer = load_light(str(first.folder), first.folder, config.trust_remote_code)
    renderer = Renderer(tokenizer, Speech.of(first.folder, tokenizer, persona).renderer.style, persona)
    view = first.settings.get("view", "player")
    return in_blocks(exchanges(divided.held_out, renderer, view, persona, POOL))


def summaries(desk: Desk, run: str) -> list[dict[str, Any]]:
    """What people said of a run, for its page: comparisons with votes, the newest first."""
    return [
        {"one": one.match.one, "other": one.match.other, "score": one.score, "address": f"/compare?id={one.path.stem}"}
        for one in compared(desk.workspace.votes)
        if run in (one.match.one.run, one.match.other.run)
    ]
