"""Whether the memory finds what was said: real chats, broken off and gone on with.

    python bench/memory.py --rpc FOLDER/dialogues --topical FILE.json

Each chat is cut after a third, a half and two thirds. The earlier parts of all chats of a group are kept: of the same
two people in RealPersonaChat, of twenty chats drawn at random in Topical-Chat. The first turn after the cut asks, the
first two, and the first three; an exchange of the same chat's earlier part is right. Beside it three exchanges at
random, and the three most recent. `brought back` is how often anything fits well enough, `strangers` how often it does
out of the chats of another group, and `script` out of the bundled script, which speaks of other things.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import time
from collections import defaultdict
from collections.abc import Iterator
from importlib.resources import files
from itertools import groupby
from math import comb
from pathlib import Path

from wolf_chatbox.conversation import Turn
from wolf_chatbox.talk import search
from wolf_chatbox.talk.search import Index, exchanges

Chat = list[Turn]
PARTS = (1 / 3, 1 / 2, 2 / 3)


def real_persona_chat(folder: Path) -> list[list[Chat]]:
    groups: dict[tuple[str, ...], list[Chat]] = defaultdict(list)
    for path in sorted(folder.glob("*.json")):
        chat = json.loads(path.read_text(encoding="utf-8"))
        turns = [Turn(each["interlocutor_id"], each["text"]) for each in chat["utterances"]]
        groups[tuple(sorted(chat["interlocutors"]))].append(joined(turns))
    return list(groups.values())


def topical_chat(path: Path) -> list[list[Chat]]:
    chats = [
        joined([Turn(turn["agent"], turn["message"]) for turn in chat["content"]])
        for chat in json.loads(path.read_text(encoding="utf-8")).values()
    ]
    random.Random(1).shuffle(chats)
    return [chats[at : at + 20] for at in range(0, len(chats), 20)]


def joined(turns: list[Turn]) -> Chat:
    """What one says in a row as one turn."""
    return [
        Turn(speaker, " ".join(turn.text for turn in row))
        for speaker, row in groupby(turns, key=lambda turn: turn.speaker)
    ]


def kept(chats: list[Chat], part: float) -> Index:
    """The memory of the beginnings of chats; each chat's name is its number."""
    return Index(
        each
        for number, chat in enumerate(chats)
        for each in exchanges(chat[: int(len(chat) * part)], chat[1].speaker, str(number))
    )


def asked(chat: Chat, part: float) -> Iterator[Chat]:
    cut = int(len(chat) * part)
    for turns in range(1, 4):
        yield chat[cut : cut + turns]


def script() -> Index:
    with files("wolf_chatbox.data").joinpath("innkeeper.csv").open(encoding="utf-8") as file:
        turns = [Turn(row["name"], row["line"]) for row in csv.DictReader(file)]
    return Index(exchanges(turns, turns[1].speaker))


def measure(groups: list[list[Chat]]) -> dict[str, float]:
    """Shares of all askings."""
    count: dict[str, float] = defaultdict(float)
    unrelated = script()
    for at, group in enumerate(groups):
        for part in PARTS:
            memory, other = kept(group, part), kept(groups[at - 1], part)
            for number, chat in enumerate(group):
                of_chat = [each.chat == str(number) for each in memory.exchanges]
                for turns in asked(chat, part):
                    found = memory.find(word for turn in turns for word in search.words_of(turn.text))
                    fitting = memory.fitting(turns)
                    count["asked"] += 1
                    count["recall@1"] += any(of_chat[each.at] for each in found[:1])
                    count["recall@3"] += any(of_chat[each.at] for each in found[:3])
                    count["random@3"] += 1 - comb(of_chat.count(False), 3) / comb(len(of_chat), 3)
                    count["recent@3"] += any(of_chat[-3:])
                    count["brought back"] += bool(fitting)
                    count["right"] += any(of_chat[each.at] for each in fitting[:3])
                    count["strangers"] += bool(other.fitting(turns))
                    count["script"] += bool(unrelated.fitting(turns))
    return {name: value / count["asked"] for name, value in count.items()} | {"asked": count["asked"]}


COLUMNS = ("recall@1", "recall@3", "random@3", "recent@3", "brought back", "of it right", "strangers", "script")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rpc", type=Path, required=True, help="RealPersonaChat's folder of dialogues")
    parser.add_argument("--topical", type=Path, required=True, help="a file of Topical-Chat")
    arguments = parser.parse_args()
    sets = {
        "RealPersonaChat": [group for group in real_persona_chat(arguments.rpc) if len(group) >= 5],
        "Topical-Chat": topical_chat(arguments.topical),
    }
    print(f"| chats | asked | enough | {' | '.join(COLUMNS)} |\n|{'---|' * (len(COLUMNS) + 3)}")
    for name, groups in sets.items():
        for search.ENOUGH in (1.5, 2.0, 2.5):
            of = measure(groups)
            of["of it right"] = of["right"] / max(of["brought back"], 1e-9)
            shares = " | ".join(f"{of[column]:.0%}" for column in COLUMNS)
            print(f"| {name} | {of['asked']:,.0f} | {search.ENOUGH} | {shares} |")
    everything = [chat for group in sets["Topical-Chat"] for chat in group]
    began = time.perf_counter()
    index = kept(everything, 1)
    built = time.perf_counter()
    index.fitting(everything[0][:3])
    print(
        f"\n{len(index.exchanges):,} exchanges: index {built - began:.2f} s, search {time.perf_counter() - built:.4f} s"
    )


if __name__ == "__main__":
    main()
