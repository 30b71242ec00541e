"""What eight candidates cost beside one reply: forward passes, ids that are read, seconds.

    python bench/best_of.py --model demo_model --engines llama.cpp openvino torch
    python bench/best_of.py --model run --reverse back

The same questions are answered with each count of candidates, in turns. A reply of one is drawn as many times as there
are candidates in the widest row, so that lengths do not tell them apart by chance: costs are for one answer. Beside
the seconds stands the processor's time, which other programs on the machine change less. Each answer comes after a
history of --history turns, which the engine has read.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from typing import Any

from repetition import QUESTIONS

from wolf_chatbox.conversation import Turn
from wolf_chatbox.model.engines.decoder import Feed, Logits
from wolf_chatbox.scene import Scene
from wolf_chatbox.talk.session import ChatSession


class Counted:
    """A decoder that counts what is asked of it."""

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder
        self.passes = self.ids = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._decoder, name)

    def read(self, feeds: Sequence[Feed]) -> Logits:
        self.passes += 1
        self.ids += sum(len(feed.ids) for feed in feeds)
        rows: Logits = self._decoder.read(feeds)
        return rows


def count(engine: Any) -> Counted:
    engine.decoder = counted = Counted(engine.decoder)
    return counted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="demo_model")
    parser.add_argument("--reverse", help="a reverse run, which ranks the candidates too")
    parser.add_argument("--engines", nargs="+", default=["llama.cpp"])
    parser.add_argument("--counts", nargs="+", type=int, default=[1, 2, 4, 8])
    parser.add_argument("--questions", type=int, default=10)
    parser.add_argument("--history", type=int, default=6)
    parser.add_argument("--tokens", type=int, default=0, help="exactly so many in each candidate; 0 = as drawn")
    args = parser.parse_args()
    print(
        "| engine | candidates | tokens of the longest | passes | ids read | seconds | times one"
        " | processor's seconds | times one |\n|---|---|---|---|---|---|---|---|---|"
    )
    for engine in args.engines:
        table(engine, args)


def table(engine: str, args: argparse.Namespace) -> None:
    session = ChatSession.load(args.model, engine=engine, slots=max(args.counts), reverse_model=args.reverse, seed=0)
    voice = session.voice
    decoders = [count(voice.engine)] + ([count(voice.reverse.engine)] if voice.reverse else [])
    if args.tokens:  # nothing ends a candidate before
        object.__setattr__(voice, "_stop_ids", set)
        session.sampling = session.sampling.changed(max_new_tokens=args.tokens)
    found: dict[int, list[tuple[float, ...]]] = {number: [] for number in args.counts}
    widest = max(args.counts)
    for at, question in enumerate(QUESTIONS[: args.questions]):
        turns = [
            Turn((session.user, session.persona)[place % 2], QUESTIONS[(at + place) % 20])
            for place in range(args.history)
        ]
        scene = Scene((*turns, Turn(session.user, question)), speaker=session.persona)
        "".join(voice.answer(scene, session.sampling.changed(max_new_tokens=1), 0))  # the history is read
        for number in args.counts:
            times = widest if number == 1 else 1
            costs = [answer(voice, scene, session.sampling.changed(best_of=number), at * 97 + seed, decoders)
                     for seed in range(times)]  # fmt: skip
            found[number].append(tuple(map(statistics.mean, zip(*costs))))
    first = [statistics.mean(column) for column in zip(*found[args.counts[0]])]
    for number, rows in found.items():
        longest, passes, ids, seconds, cpu = (statistics.mean(column) for column in zip(*rows))
        print(
            f"| {engine} | {number} | {longest:.1f} | {passes:.1f} | {ids:.0f} | {seconds:.2f}"
            f" | {seconds / first[3]:.2f} | {cpu:.2f} | {cpu / first[4]:.2f} |",
            flush=True,
        )


def answer(voice: Any, scene: Scene, sampling: Any, seed: int, decoders: list[Counted]) -> tuple[float, ...]:
    before = [(decoder.passes, decoder.ids) for decoder in decoders]
    began, cpu = time.perf_counter(), time.process_time()
    reply = voice.answer(scene, sampling, seed)
    "".join(reply)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    passes = sum(decoder.passes - old for decoder, (old, _) in zip(decoders, before))
    ids = sum(decoder.ids - old for decoder, (_, old) in zip(decoders, before))
    texts = [candidate.text for candidate in reply.candidates] or [reply.text]
    longest = max(len(voice.renderer.tokenizer(text, add_special_tokens=False).input_ids) for text in texts)
    return longest, passes, ids, seconds, cpu


if __name__ == "__main__":
    main()
