"""What 8 or 4 bits cost: llama.cpp's greedy tokens and perplexity beside torch's in fp32.

    python bench/quantise.py
    python bench/quantise.py --model wolf_model --quantise q8_0 q4_k --prompts 100

The prompts are the scenes before turns of the bundled script, spread evenly over it; torch says --tokens tokens after
each, greedily. Two counts of agreement: replies that are the same up to their end, and single tokens, each asked for
after torch's own beginning of the reply, so that one difference is one. Perplexity: of all turns of the same scenes,
each after the turns before it.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from typing import Any

from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.importers.reading import read_conversations
from wolf_chatbox.model import engines
from wolf_chatbox.model.embedded import ALIAS
from wolf_chatbox.model.hub import locate
from wolf_chatbox.samples.rendering import make_renderer
from wolf_chatbox.samples.styles import choose_style
from wolf_chatbox.scene import Scene

BEFORE = 8
"""Turns before the one that is asked for."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=ALIAS)
    parser.add_argument("--quantise", nargs="+", default=["f16", "q8_0", "q4_k"])
    parser.add_argument("--prompts", type=int, default=60)
    parser.add_argument("--tokens", type=int, default=20)
    args = parser.parse_args()
    folder = locate(args.model)
    reference = engines.load(folder, engine="torch", slots=1)
    asked = list(scenes(reference.tokenizer, args.prompts))
    greedy = SamplingConfig(max_new_tokens=args.tokens, temperature=0, no_repeat_phrase=0)
    replies = [[token.id for token in reference.engine.stream(prompt, greedy, ())] for prompt, _ in asked]
    whole = perplexity(reference.engine, asked)
    print(
        f"{args.model}: {len(asked)} prompts, {args.tokens} tokens each, {sum(len(said) for _, said in asked)} scored\n"
    )
    print("| weights | replies the same | tokens the same | perplexity | lost |")
    print("|---|---|---|---|---|")
    print(f"| fp32 (torch) | | | {whole:.3f} | |")
    for quantise in args.quantise:
        engine = engines.load(folder, engine="llama.cpp", quantise=quantise, slots=1).engine
        same = sum(
            [token.id for token in engine.stream(prompt, greedy, ())] == reply
            for (prompt, _), reply in zip(asked, replies)
        )
        tokens = sum(agreeing(engine, prompt, reply) for (prompt, _), reply in zip(asked, replies))
        share = tokens / sum(map(len, replies))
        found = perplexity(engine, asked)
        print(
            f"| {quantise} | {same} of {len(asked)} | {share:.1%} | {found:.3f} | {found / whole - 1:+.2%} |",
            flush=True,
        )
        engine.close()


def scenes(tokenizer: Any, count: int) -> list[tuple[list[int], list[int]]]:
    """The ids of prompts, each with those of the turn that was said there."""
    conversations = list(read_conversations("example"))
    speakers = tuple({turn.speaker: 1 for conversation in conversations for turn in conversation.turns})
    renderer = make_renderer(tokenizer, choose_style(tokenizer, speakers)[0], speakers[-1], speakers[0], speakers)
    places = [
        (Scene.of(conversation).before(at, BEFORE), conversation.turns[at])
        for conversation in conversations
        for at in range(1, len(conversation.turns))
    ]
    chosen = places[:: max(1, len(places) // count)][:count]
    return [(renderer.prompt(scene, 1024), renderer.words(turn, scene)) for scene, turn in chosen]


def agreeing(engine: Any, prompt: Sequence[int], reply: Sequence[int]) -> int:
    """How many tokens of a reply the engine says as well, each after those before it."""
    one = SamplingConfig(max_new_tokens=1, temperature=0, no_repeat_phrase=0)
    return sum(next(engine.stream([*prompt, *reply[:at]], one, ())).id == id for at, id in enumerate(reply))


def perplexity(engine: Any, asked: Sequence[tuple[Sequence[int], Sequence[int]]]) -> float:
    scores = [score for prompt, said in asked for score in engine.score(prompt, said)]
    return math.exp(-sum(scores) / len(scores))


if __name__ == "__main__":
    main()
