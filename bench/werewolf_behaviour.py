"""Count how players of each role behave in games of werewolf: the figures of `play/inference/behaviour.py`.

    python bench/werewolf_behaviour.py FOLDER [FOLDER …] [--show 60]

What is said is read by `play/inference/statements.py`, so the counts are those of what it recognises. `--show` prints
so many results that it found, chosen by chance, to be compared with the lines by a person.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter, defaultdict
from collections.abc import Iterator

from wolf_chatbox.conversation import Conversation
from wolf_chatbox.game import WEREWOLF, Game
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.play.inference.evidence import Evidence
from wolf_chatbox.play.inference.statements import statements_in
from wolf_chatbox.werewolf.sight import Line, Sight
from wolf_chatbox.werewolf.table import TableConfig

ROLES = ("SEER", "MEDIUM", "BODYGUARD", "VILLAGER", "POSSESSED", WEREWOLF)


def watched(conversation: Conversation, game: Game) -> Iterator[tuple[Sight, Evidence]]:
    """A game as somebody sees it who only watches, after each event."""
    counts = Counter(player.role for player in game.players)
    table = TableConfig(
        players=len(game.players),
        roles=tuple(f"{role.lower()}={number}" for role, number in counts.items()),
        language="ja" if game.language == "ja" else "en",
    )
    names = tuple(player.name for player in game.players)
    sight = Sight(table, conversation.group, "", "", names, {}, table.counts())
    evidence, heard = Evidence(names), 0
    for event in game.events:
        for turn in conversation.turns[heard : event.at]:
            sight.hear(Line(len(sight.lines), sight.day, 0, turn.speaker, turn.text, turn.channel != ""))
        heard = max(heard, event.at)
        if event.kind == "end":
            break
        sight.learn(event)
        evidence.read(sight)
        yield sight, evidence


class Counts:
    """What was counted, by role."""

    def __init__(self) -> None:
        self.claims: dict[str, Counter[str]] = defaultdict(Counter)
        self.silent: dict[str, list[list[int]]] = {role: [[0, 0] for _ in range(3)] for role in ROLES}
        self.results: dict[tuple[str, bool], Counter[str]] = defaultdict(Counter)
        self.lifts: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(lambda: [0.0, 0.0, 0.0]))
        self.attacked: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
        self.spoken = [0, 0, 0]
        self.shown: list[str] = []

    def take(self, conversation: Conversation, game: Game) -> None:
        """Count one game."""
        roles = {player.name: player.role for player in game.players}
        wolves = {name for name, role in roles.items() if role == WEREWOLF}
        evidence, days = None, 0
        for _, evidence in watched(conversation, game):
            for day in sorted(evidence.ballots)[days:3]:
                days += 1
                for name in evidence.ballots[day].alive:
                    silent = self.silent.get(roles[name], [[0, 0]] * 3)[days - 1]
                    silent[0] += name not in evidence.claims
                    silent[1] += 1
        if evidence is None:
            return
        for name, role in roles.items():
            self.claims[role][evidence.claims.get(name, "-")] += 1
        for told in evidence.results.values():
            self.results[roles[told.teller], told.target in wolves][told.result] += 1
        for (who, whom), taken_for in evidence.estimates.items():
            self._lift(
                "suspects" if taken_for == WEREWOLF else "trusts", roles[who], whom, wolves - {who}, len(roles) - 1
            )
        for ballot in evidence.ballots.values():
            for voter, target in ballot.votes:
                if voter != target:
                    self._lift(
                        "votes", roles[voter], target, wolves & set(ballot.alive) - {voter}, len(ballot.alive) - 1
                    )
        self._attacks(game, roles)
        self._spoken(conversation, game, roles)

    def _lift(self, what: str, role: str, target: str, wolves: set[str], others: int) -> None:
        """How often a wolf was named, and how often by chance."""
        if wolves:
            count = self.lifts[what][role]
            count[0] += 1
            count[1] += target in wolves
            count[2] += len(wolves) / others

    def _attacks(self, game: Game, roles: dict[str, str]) -> None:
        alive = set(roles)
        for event in game.events:
            if event.kind == "attack" and event.target:
                prey = [name for name in alive if roles[name] != WEREWOLF]
                for name in prey:
                    self.attacked[roles[name]][1] += 1 / len(prey)
                self.attacked[roles[event.target]][0] += 1
            if event.kind == "execute" or event.result == "killed":
                alive.discard(event.target)

    def _spoken(self, conversation: Conversation, game: Game, roles: dict[str, str]) -> None:
        """Of the seers' divinations, how many a line of the next day tells, and how many of these are read rightly."""
        names, language = tuple(roles), "ja" if game.language == "ja" else "en"
        mornings = [event.at for event in game.events if event.kind == "day"] + [len(conversation.turns)]
        for event in game.events:
            if event.kind != "divine" or event.day + 2 >= len(mornings) or not event.result:
                continue
            turns = conversation.turns[mornings[event.day + 1] : mornings[event.day + 2]]
            own = [turn.text for turn in turns if turn.speaker == event.actor and not turn.channel]
            read = [told for text in own for told in statements_in(text, names, language) if told.what == "result"]
            mention = [text for text in own if event.target in text]
            self.spoken[0] += 1
            self.spoken[1] += bool(mention)
            self.spoken[2] += any((told.target, told.result) == (event.target, event.result) for told in read)
            if mention and not any(told.target == event.target for told in read):
                self.shown.append(f"MISSED {event.target} {event.result}: " + " | ".join(mention))
        for turn in conversation.turns:
            for told in statements_in(turn.text, names, language) if not turn.channel else ():
                if told.what == "result":
                    self.shown.append(f"{told.role} {told.target} {told.result}: {turn.text}")

    def print(self) -> None:
        print("claims by role (-: none)")
        for role in ROLES:
            number = max(1, self.claims[role].total())
            print(f"  {role:10} {number:4}", *(f"{c} {n / number:.3f}" for c, n in self.claims[role].most_common()))
        print("no special claim after 1, 2, 3 days")
        for role, days in self.silent.items():
            print(f"  {role:10}", *(f"{silent / max(1, number):.2f} of {number}" for silent, number in days))
        print("results told: share of WEREWOLF, of a target that is none / is one")
        for role in ROLES:
            counts = [self.results[role, wolf] for wolf in (False, True)]
            print(f"  {role:10}", *(f"{c[WEREWOLF] / max(1, c.total()):.2f} of {c.total()}" for c in counts))
        for what, table in self.lifts.items():
            print(f"{what}: share of wolves, by chance, odds ratio")
            for role in ROLES:
                number, hit, chance = table[role]
                if number:
                    share, chance = hit / number, chance / number
                    odds = share / (1 - share + 1e-9) / (chance / (1 - chance))
                    print(f"  {role:10} {number:5.0f} {share:.3f} {chance:.3f} {odds:.2f}")
        print("attacked: times, by chance, ratio")
        for role, (times, chance) in self.attacked.items():
            print(f"  {role:10} {times:.0f} {chance:.1f} {times / max(chance, 1e-9):.2f}")
        divined, spoken, read = self.spoken
        print(f"divinations {divined}, target named by the seer next day {spoken}, read with the right result {read}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="+")
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("--players", type=int, default=0)
    arguments = parser.parse_args()
    counts = Counts()
    for folder in arguments.folder:
        for conversation in read_conversations(folder):
            if conversation.game and arguments.players in (0, len(conversation.game.players)):
                counts.take(conversation, conversation.game)
    counts.print()
    random.Random(1).shuffle(counts.shown)
    print(*counts.shown[: arguments.show], sep="\n")


if __name__ == "__main__":
    main()
