"""How the rule against repetition was chosen: loops and mangled words in replies of a trained character.

    make demo </dev/null && python bench/repetition.py --model demo_model --replies 200

Each rule answers the same questions with the same random numbers. A word counts as mangled when neither the script nor
an English dictionary (symspellpy's) knows it; a loop is a piece of up to 60 characters that stands three times in a
row; "again" are replies that say a phrase of four words twice.
"""

from __future__ import annotations

import argparse
import re
import statistics
from collections.abc import Callable
from importlib.resources import files
from typing import Any

QUESTIONS = (
    "Good evening! Who are you?",
    "What is for supper tonight?",
    "Do you like the full moon?",
    "How much is a room?",
    "Why are you so grumpy?",
    "Is that blood on the floor?",
    "May I sit by the fire?",
    "Tell me about this inn.",
    "Who is the stranger in the corner?",
    "I heard a howl outside. What was it?",
    "Can you tell me a story?",
    "Do you have any ale?",
    "What happened to your hand?",
    "I have lost my dog in the forest.",
    "Are there wolves in these woods?",
    "You look tired, old man.",
    "What do you do all day?",
    "I cannot pay you tonight.",
    "Do you believe in werewolves?",
    "Thank you, good night!",
)


def rules(tokenizer: Any, names: tuple[str, ...]) -> dict[str, Callable[[list[int]], dict[int, float]]]:
    """What each rule takes off the scores of which tokens, by its name."""
    from wolf_chatbox.config import SamplingConfig
    from wolf_chatbox.model.engines.dry import Dry
    from wolf_chatbox.model.engines.repetition import Repetition

    repetition = Repetition(tokenizer)

    def ngrams(reply: list[int], size: int = 3) -> dict[int, float]:
        last = reply[len(reply) - size + 1 :]
        return {
            reply[at + size - 1]: float("inf")
            for at in range(len(reply) - size + 1)
            if reply[at : at + size - 1] == last
        }

    def phrases(size: int) -> Callable[[list[int]], dict[int, float]]:
        return lambda reply: dict.fromkeys(repetition.barred(reply, size), float("inf"))

    return {
        "none": lambda reply: {},
        "token 3-grams": ngrams,
        "DRY": lambda reply: Dry(tokenizer, names).penalties(reply, SamplingConfig(dry_multiplier=0.8)),
        "DRY without names": lambda reply: Dry(tokenizer).penalties(reply, SamplingConfig(dry_multiplier=0.8)),
        **{f"phrases of {size} words": phrases(size) for size in (3, 4, 5)},
    }


def answer(
    model: Any, tokenizer: Any, prompts: list[list[int]], ends: list[int], rule: Any, tokens: int, seed: int
) -> list[list[int]]:
    """A reply to each prompt, all of them at once; top-k 50, top-p 0.95, temperature 0.7."""
    import torch
    from transformers import LogitsProcessor, LogitsProcessorList

    class Rule(LogitsProcessor):
        def __call__(self, ids: Any, scores: Any) -> Any:
            for row, reply in enumerate(ids[:, longest:].tolist()):
                for token, penalty in rule(reply).items():
                    scores[row, token] -= penalty
            return scores

    longest = max(map(len, prompts))
    pad = ends[0]
    ids = torch.tensor([[pad] * (longest - len(prompt)) + prompt for prompt in prompts])
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    torch.manual_seed(seed)
    settings = {
        "do_sample": True,
        "temperature": 0.7,
        "top_k": 50,
        "top_p": 0.95,
        "no_repeat_ngram_size": 0,
        "max_new_tokens": tokens,
    }
    found = model.generate(
        ids,
        attention_mask=mask,
        logits_processor=LogitsProcessorList([Rule()]),
        eos_token_id=ends,
        pad_token_id=pad,
        **settings,
    )
    replies = [[each for each in reply if each != pad] for reply in found[:, longest:].tolist()]
    return [[each for each in reply if each not in ends] for reply in replies]


def known_words() -> set[str]:
    script = (files("wolf_chatbox") / "data" / "innkeeper.csv").read_text(encoding="utf-8")
    dictionary = (files("symspellpy") / "frequency_dictionary_en_82_765.txt").read_text(encoding="utf-8-sig")
    return set(words(script)) | {line.split()[0] for line in dictionary.splitlines()}


def words(text: str) -> list[str]:
    return [
        word.removesuffix("'s") for word in re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)*", text.casefold().replace("’", "'"))
    ]


def loops(text: str) -> bool:
    return bool(re.search(r"(.{2,60}?)\1\1", text))


def again(text: str) -> bool:
    said = words(text)
    phrases = [tuple(said[at : at + 4]) for at in range(len(said) - 3)]
    return len(phrases) > len(set(phrases))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="demo_model")
    parser.add_argument("--replies", type=int, default=200)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--only", nargs="*", help="these rules")
    parser.add_argument("--show", action="store_true", help="print mangled words and loops")
    args = parser.parse_args()
    from wolf_chatbox.conversation import Turn
    from wolf_chatbox.scene import Scene
    from wolf_chatbox.talk.session import ChatSession

    session = ChatSession.load(args.model, engine="torch")
    renderer, model = session.voice.renderer, session.voice.engine.decoder.model
    scenes = [Scene((Turn(session.user, question),), speaker=session.persona) for question in QUESTIONS]
    prompts = [renderer.prompt(scene, 256) for scene in scenes]
    ends = sorted({renderer.end_id, renderer.tokenizer.eos_token_id})
    known = known_words()
    print(
        "| rule | replies | with a mangled word | that loop | that say a phrase again | tokens a reply (median) | cut |"
    )
    print("|---|---|---|---|---|---|---|")
    for name, rule in rules(renderer.tokenizer, (session.persona, session.user)).items():
        if args.only and name not in args.only:
            continue
        replies: list[list[int]] = []
        for seed in range(-(-args.replies // len(QUESTIONS))):
            replies += answer(model, renderer.tokenizer, prompts, ends, rule, args.tokens, seed)
        texts = [renderer.decode(reply).strip() for reply in replies]
        mangled = [[word for word in words(text) if word not in known] for text in texts]
        counts = (sum(map(bool, mangled)), sum(map(loops, texts)), sum(map(again, texts)))
        cut = sum(len(reply) >= args.tokens for reply in replies)
        cells = [name, len(texts), *counts, f"{statistics.median(map(len, replies)):.0f}", cut]
        print(f"| {' | '.join(map(str, cells))} |", flush=True)
        if args.show:
            print(sorted({word for found in mangled for word in found}), *filter(loops, texts), sep="\n  ", flush=True)


if __name__ == "__main__":
    main()
