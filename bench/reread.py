"""How much of a long chat is read anew at each turn, by the share of the room that is kept when old turns leave?

    python bench/reread.py --data real_persona_chat/dialogues --room 512 --turns 100

An engine keeps what it has read of a prompt. When the oldest turns leave, the prompt begins elsewhere, and all of it is
read anew. The dialogues of a data set are joined to chats of --turns messages and as many replies; no model is needed.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
from collections.abc import Sequence
from itertools import takewhile

from wolf_chatbox.conversation import Turn
from wolf_chatbox.importers.reading import read_conversations
from wolf_chatbox.model.hub import locate
from wolf_chatbox.model.tokenizer import load_tokenizer
from wolf_chatbox.samples.rendering import Renderer, make_renderer
from wolf_chatbox.scene import Scene

SHARES = (1.0, 3 / 4, 2 / 3, 1 / 2, 1 / 3)


def measure(renderer: Renderer, chats: Sequence[Sequence[Turn]], room: int, share: float) -> tuple[float, ...]:
    """The mean and the median of the tokens read at a turn, the mean length of a prompt, the share of turns that begin
    anew, over the turns after the room is full for the first time."""
    read, prompts = list[int](), list[int]()
    for chat in chats:
        held: list[int] = []
        full = False
        for at in range(1, len(chat), 2):
            scene = Scene(tuple(chat[:at]), speaker=chat[at].speaker)
            prompt = renderer.prompt(scene, room, share)
            same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(held, prompt)))
            full = full or (bool(held) and same < len(held) // 2)
            if full:
                read.append(len(prompt) - min(same, len(prompt) - 1))
                prompts.append(len(prompt))
            held = [*prompt, *renderer.words(chat[at], scene)]
    anew = sum(2 * more > length for more, length in zip(read, prompts)) / len(read)
    return statistics.mean(read), statistics.median(read), statistics.mean(prompts), anew


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", required=True)
    parser.add_argument("--model", default="smollm2-135m", help="whose tokenizer counts")
    parser.add_argument("--room", type=int, nargs="+", default=[512, 1024])
    parser.add_argument("--turns", type=int, default=100)
    parser.add_argument("--chats", type=int, default=5)
    args = parser.parse_args()

    tokenizer = load_tokenizer(args.model, locate(args.model, print))
    renderer = make_renderer(tokenizer, "named", "B", "A", ("A", "B"))
    size = 2 * args.turns
    texts = (turn.text for conversation in read_conversations(args.data) for turn in conversation.turns)
    said = list(itertools.islice(texts, size * args.chats))
    chats = [
        [Turn("AB"[at % 2], text) for at, text in enumerate(said[begin : begin + size])]
        for begin in range(0, len(said) - size + 1, size)
    ]
    mean = statistics.mean(len(renderer.turn(turn, Scene(())).ids) for chat in chats for turn in chat)
    print(f"{len(chats)} chats of {args.turns} messages and replies, {mean:.0f} tokens a turn\n")
    print("| room | kept | read at a turn, mean | median | turns that begin anew | prompt, mean |")
    print("|---|---|---|---|---|---|")
    for room in args.room:
        for share in SHARES:
            read, median, prompt, anew = measure(renderer, chats, room, share)
            print(f"| {room} | {share:.2f} | {read:.0f} | {median:.0f} | {anew:.0%} | {prompt:.0f} |")


if __name__ == "__main__":
    main()
