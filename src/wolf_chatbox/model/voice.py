"""A model's voice: one reply to one scene. The chat and the validation's samples both ask it.

A voice keeps nothing from one reply to the next. What a reply leaves behind (its ids, whether it was cut) is a value,
which can be given back to continue it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeVar

from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.conversation import Turn
from wolf_chatbox.errors import ChatError
from wolf_chatbox.model.candidates import Candidate, Reverse, best, rank
from wolf_chatbox.model.draft import Draft
from wolf_chatbox.model.engines.engine import Engine
from wolf_chatbox.model.said import Said
from wolf_chatbox.model.settled import Ends
from wolf_chatbox.model.token_text import Piece, TokenText
from wolf_chatbox.samples.briefing import NO_CARDS, Cards
from wolf_chatbox.samples.rendering import Renderer
from wolf_chatbox.scene import Scene

Kind = TypeVar("Kind")
FULL = "the reply fills the model's context. Send a message instead."
AGAIN = 3
"""Times that a reply is drawn again which says one of the speaker's last replies, or nothing."""
KEEP = 0.5
"""The share of the room that the history fills after its oldest turns left; docs/benchmarks.md has the figures."""


@dataclass
class Reply:
    """A reply while it is drawn: iterate over it for its pieces. The fields say what there is so far.

    reply = voice.answer(scene, sampling)
    for piece in reply:
        print(piece, end="", flush=True)
    if reply.cut:
        reply = voice.answer(scene, sampling, begun=reply)
    """

    text: str = ""
    ids: list[int] = field(default_factory=list)
    """The ids of the text, and of what is not yet settled; empty where the text ended before a speaker's label, or
    before a stop string."""
    cut: bool = False
    """Whether it ended at `max_new_tokens`, or at the end of the context."""
    stopped: str | None = None
    """The stop string that it ended before."""
    repeated: bool = False
    """Whether it says one of the speaker's last replies again, after every other try did so too."""
    tokens: list[Piece] = field(default_factory=list)
    """The tokens drawn for the text, if they were asked for."""
    candidates: tuple[Candidate, ...] = ()
    """What there was to choose from, with best_of."""
    chosen: int = 0
    """The number of the candidate that was chosen."""
    prompt: list[int] = field(default_factory=list)
    """The ids that it is drawn after."""
    drawn: int = 0
    """Tokens drawn for it, those of other candidates and tries too."""
    pieces: Generator[str] | None = None

    def __iter__(self) -> Generator[str]:
        assert self.pieces is not None, "a reply that is given to `answer` has no pieces"
        return self.pieces


@dataclass(frozen=True)
class _Asked:
    """What a reply is drawn by."""

    scene: Scene
    prompt: list[int]
    """The begun ids are its last ones."""
    begun: list[int]
    sampling: SamplingConfig
    seed: int | None
    top: int | None
    ends: Ends
    over: Callable[[], bool]
    decode: Callable[[list[int]], str]
    ahead: int = 0
    """How much longer the text of the begun ids is than the text that is known of them."""


@dataclass(frozen=True)
class Voice:
    """Answers scenes with one engine and one renderer."""

    engine: Engine
    renderer: Renderer
    speakers: Mapping[str, int] = field(default_factory=dict)
    """The speakers that the model knows, with how many turns of each; a reply ends before a line of one of them."""
    history_tokens: int | None = None
    """Tokens of history at most, as many as a row of the training; None allows the whole context."""
    reverse: Reverse | None = None
    """A model that helps to choose between candidates."""
    cards: Cards = NO_CARDS
    """What the characters know, and say first."""

    def answer(
        self,
        scene: Scene,
        sampling: SamplingConfig,
        seed: int | None = None,
        begun: Reply | None = None,
        *,
        top: int | None = None,
        stop: Sequence[str] = (),
        over: Callable[[], bool] = lambda: False,
    ) -> Reply:
        """The reply of `scene.speaker`, to be iterated; `begun` is a reply to continue, or only its text.

        `top` asks for the reply's tokens with their log-probabilities, and that many alternatives to each. The text
        ends before the first of the strings `stop`, and nothing of it is shown. `over` is asked before each token: true
        ends the reply with what there is, and what it raises is raised where the reply is iterated. Raises ChatError,
        at once, when the last turn or the reply fills the context; while it is iterated ModelError when the model's
        logits are NaN or infinite.
        """
        scene = self.cards.brief(scene)
        assert scene.speaker is not None, "nobody is to speak"
        reply = Reply(begun.text, list(begun.ids)) if begun else Reply()
        if reply.text and not reply.ids:
            reply.ids = self.renderer.words(Turn(scene.speaker, reply.text), scene)
        try:
            prompt = self._prompt(scene, sampling, len(reply.ids))
        except ChatError as error:
            raise (ChatError(FULL) if begun else error) from None
        if len(prompt) + len(reply.ids) >= self.engine.context:
            raise ChatError(FULL)
        reply.prompt = [*prompt, *reply.ids]
        names = scene.speakers() | set(self.speakers) | {scene.speaker, scene.narrator}
        # Ids of a stopped reply may hold text that was not settled; a reply that is only text may decode differently.
        decoded = self._decode(reply.ids)
        ahead = 0 if decoded.startswith(reply.text) else len(decoded) - len(reply.text)
        begun_ids, ends = list(reply.ids), Ends(names, stop)
        asked = _Asked(scene, reply.prompt, begun_ids, sampling, seed, top, ends, over, self._decode, ahead)
        reply.pieces = self._pieces(reply, asked)
        return reply

    def go_on(
        self,
        prompt: Sequence[int],
        sampling: SamplingConfig,
        seed: int | None = None,
        *,
        top: int | None = None,
        stop: Sequence[str] = (),
        over: Callable[[], bool] = lambda: False,
    ) -> Reply:
        """What follows raw ids, in nobody's turn, with its white space; the settings are those of `answer`."""
        # Words are decoded beside the last token of the prompt: some tokenizers drop a space at the start of a text.
        first = list(prompt[-1:])
        known = len(self.renderer.decode(first))

        def decode(ids: list[int]) -> str:
            return self.renderer.decode([*first, *ids])[known:]

        reply, ends = Reply(prompt=list(prompt)), Ends((), stop, trims=False)
        asked = _Asked(Scene(()), reply.prompt, [], sampling, seed, top, ends, over, decode)
        reply.pieces = self._pieces(reply, asked)
        return reply

    def who_speaks(self, scene: Scene, names: Sequence[str]) -> dict[str, float]:
        """The probability of each of the names to speak next, in the model's eyes; together 1.

        Only the style named says who speaks; with another one all are equal. A label ends with a colon, so no name is
        the beginning of another, and long names need no correction. Raises ChatError when the last turn fills the
        context.
        """
        names = list(dict.fromkeys(names))
        if self.renderer.style.name != "named" or len(names) < 2:
            return dict.fromkeys(names, 1 / max(1, len(names)))
        heads = [self.renderer.head(name, scene) for name in names]
        prompt = self._prompt(replace(scene, speaker=names[0]), SamplingConfig(), max(map(len, heads)))
        start = prompt[: -len(heads[0])] or [self.renderer.end_id]
        sums = [math.fsum(scores) for scores in self.engine.scores([(start, head) for head in heads])]
        weights = [math.exp(one - max(sums)) for one in sums]
        return {name: weight / math.fsum(weights) for name, weight in zip(names, weights)}

    def prompt(self, scene: Scene, sampling: SamplingConfig) -> list[int]:
        """The ids that the reply to a scene is drawn after; raises ChatError when the last turn fills the context."""
        return self._prompt(self.cards.brief(scene), sampling, 0)

    def held(self, scene: Scene, sampling: SamplingConfig) -> int:
        """How many turns of a scene that prompt holds, the last ones; raises ChatError as `prompt` does."""
        return self._fitted(self.renderer.held, self.cards.brief(scene), sampling, 0)

    def _prompt(self, scene: Scene, sampling: SamplingConfig, begun: int) -> list[int]:
        """The prompt that leaves room for the reply, of which `begun` tokens are there already."""
        return self._fitted(self.renderer.prompt, scene, sampling, begun) or [self.renderer.end_id]

    def _fitted(
        self, render: Callable[[Scene, int, float], Kind], scene: Scene, sampling: SamplingConfig, begun: int
    ) -> Kind:
        """What is rendered of a scene in the room that the reply leaves."""
        left = min(sampling.max_new_tokens, self.engine.context // 2)
        # A reply that goes on has the prompt that it began with, as long as there is room.
        room = self.engine.context - left - (begun if begun >= left else 0)
        try:
            return render(scene, min(self.history_tokens or room, room), KEEP)
        except ChatError:  # a message longer than a row may still fit into the context, alone
            return render(scene, room, KEEP)

    def _pieces(self, reply: Reply, asked: _Asked) -> Generator[str]:
        """Draw the reply; yields what is added to its text.

        One that says one of the speaker's last replies again is drawn again, and so is one that says nothing, because
        it began with another's line, say. Greedy drawing has one try.
        """
        said = Said([turn.text for turn in asked.scene.turns if turn.speaker == asked.scene.speaker])
        tries = 1 if asked.begun or not asked.sampling.temperature else 1 + AGAIN
        for number in range(tries):
            drafts = self._drafts(asked, number)
            reply.tokens.clear()
            try:
                if len(drafts) == 1:
                    draft = drafts[0]
                    yield from self._show(reply, draft, asked, said, number == tries - 1)
                else:
                    draft = self._choose(reply, drafts, asked, said)
            finally:
                for other in drafts:
                    other.close()
                    reply.drawn += other.drawn
            if not (said.again(draft.text) or draft.fails):
                break
        self._settle(reply, draft, asked)
        reply.repeated = said.again(draft.text)
        yield from self._add(reply, draft, asked)

    def _drafts(self, asked: _Asked, number: int) -> list[Draft]:
        """The drafts of one try, all open at once, so that they share forward passes."""
        sampling, ids = asked.sampling, asked.prompt
        most = len(asked.begun) + min(sampling.max_new_tokens, self.engine.context - len(ids))
        count = sampling.best_of if sampling.temperature else 1  # greedy candidates would all be the same
        top = asked.top if asked.top is not None or count == 1 else 0
        stop = self._stop_ids()
        drafts = []
        for at in range(count):
            seed = _derived(asked.seed, number, at)
            tokens = self.engine.stream(
                ids, sampling, stop, seed=seed, begun=len(asked.begun), top=top, names=asked.scene.speakers()
            )
            drafts.append(Draft(tokens, asked.begun, most, asked.decode, asked.ends, asked.over))
        return drafts

    def _show(self, reply: Reply, draft: Draft, asked: _Asked, said: Said, final: bool) -> Generator[str]:
        """Yield what is settled, while it is drawn; what may become one of the last replies again waits."""
        try:
            while draft.advance():
                self._settle(reply, draft, asked)
                if final or not said.may_become(draft.text):
                    yield from self._add(reply, draft, asked)
        finally:
            self._settle(reply, draft, asked)

    def _add(self, reply: Reply, draft: Draft, asked: _Asked) -> Generator[str]:
        if piece := draft.text[len(reply.text) + asked.ahead :]:
            reply.text += piece
            yield piece

    def _choose(self, reply: Reply, drafts: list[Draft], asked: _Asked, said: Said) -> Draft:
        growing = list(drafts)
        while growing:
            growing = [draft for draft in growing if draft.advance()]
        texts, likelihoods = [draft.text for draft in drafts], [draft.likelihood for draft in drafts]
        reply.candidates = rank(texts, likelihoods, asked.scene, self.reverse)
        reply.chosen = best(reply.candidates, said)
        return drafts[reply.chosen]

    def _settle(self, reply: Reply, draft: Draft, asked: _Asked) -> None:
        """Let the reply say what a draft says of itself."""
        reply.ids, reply.cut, reply.stopped = draft.ids, draft.cut, draft.stopped
        if asked.top is not None:
            new = draft.tokens[len(reply.tokens) :]
            reply.tokens += [self._texts.piece(token.id, token.logprob or 0.0, token.top) for token in new]
            del reply.tokens[len(draft.tokens) :]

    @cached_property
    def _texts(self) -> TokenText:
        return TokenText(self.renderer.tokenizer)

    def _decode(self, ids: list[int]) -> str:
        return self.renderer.decode(ids).lstrip()

    def _stop_ids(self) -> set[int]:
        end = self.renderer.tokenizer.eos_token_id
        return {self.renderer.end_id, *self.renderer.turn_marks()} | ({end} if end is not None else set())


def _derived(seed: int | None, number: int, at: int) -> int | None:
    """The seed of a try's candidate; the first has the seed that was given."""
    if seed is None or not (number or at):
        return seed
    return random.Random(f"{seed} {number} {at}").getrandbits(64)
