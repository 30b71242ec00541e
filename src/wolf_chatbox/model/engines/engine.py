"""The engine: streams of tokens out of a decoder's logits. Streams that are open at once share forward passes.

Whoever waits for a token computes one step for all open streams, and keeps what the others drew for them. So an engine
needs no thread of its own: one caller draws eight candidates by asking eight streams in turn, and a server asks from as
many threads as it has clients.

Which text has which slot is written down once, in the text, and a slot's ids never name what the decoder may not hold.
So a step that is interrupted at any point leaves an engine that goes on.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.model.engines.decoder import Decoder, Feed, Logits
from wolf_chatbox.model.engines.dry import Dry
from wolf_chatbox.model.engines.repetition import Repetition
from wolf_chatbox.model.engines.sampling import Sampler, log_probabilities
from wolf_chatbox.model.engines.stream import Stream, Text

if TYPE_CHECKING:
    from wolf_chatbox.samples.tokenizer import Tokenizer

STEP = 512
"""Ids that one step reads at most: a long prompt is read in parts, and the other streams go on meanwhile."""
SCORED = 64
"""Ids of one text whose logits are held at once while it is scored."""


@dataclass
class _Slot:
    ids: list[int] = field(default_factory=list)
    """What the decoder holds there."""
    used: int = 0
    """The step of its last use."""


class Engine:
    """Draws replies with one decoder. Its methods may be called from several threads.

    Without the tokenizer there are no words, and `no_repeat_phrase` and DRY have no effect.
    """

    def __init__(self, decoder: Decoder, tokenizer: Tokenizer | None = None) -> None:
        self.decoder = decoder
        self.context = decoder.context
        self._tokenizer = tokenizer
        self._repetition = Repetition(tokenizer) if tokenizer is not None else None
        self._slots = [_Slot() for _ in range(decoder.slots)]
        self._new: deque[Text] = deque()
        self._open: list[Text] = []
        self._steps = 0
        self._lock = threading.Lock()

    def stream(
        self,
        prompt: Sequence[int],
        sampling: SamplingConfig,
        stop: Collection[int],
        seed: int | None = None,
        begun: int = 0,
        top: int | None = None,
        names: Collection[str] = (),
    ) -> Stream:
        """A reply's tokens, to be iterated, up to an id of `stop`, which is not yielded. It is open at once.

        The last `begun` ids of the prompt belong to the reply already, which goes on after them: the rules against
        repetition look at the reply alone. `top` asks for log-probabilities, and that many alternatives. DRY lets the
        `names` be said again. Raises ValueError when the prompt is empty or fills the context; while it is iterated
        ModelError when the logits are NaN or infinite.
        """
        if not 0 < len(prompt) < self.context:
            raise ValueError(f"a prompt of {len(prompt)} tokens: it must have 1 to {self.context - 1}")
        left = min(sampling.max_new_tokens, self.context - len(prompt))
        dry = Dry(self._tokenizer, names) if self._tokenizer is not None and sampling.dry_multiplier else None
        sampler = Sampler(sampling, seed, self._repetition, dry)
        text = Text(list(prompt), len(prompt) - begun, sampler, stop, left, top)
        self._new.append(text)
        return Stream(self._compute, text)

    def score(self, prompt: Sequence[int], ids: Sequence[int]) -> list[float]:
        """The natural log-probability of each of `ids` after `prompt` and those before it; raises as `scores` does."""
        return self.scores([(prompt, ids)])[0]

    def scores(self, asked: Sequence[tuple[Sequence[int], Sequence[int]]]) -> list[list[float]]:
        """What `score` gives for each prompt and its ids; they share forward passes, and a prompt is read once.

        Raises ValueError when a prompt is empty, or longer than the context with its ids; ModelError when the logits
        are NaN or infinite.
        """
        for prompt, ids in asked:
            if not prompt or len(prompt) + len(ids) > self.context:
                raise ValueError(
                    f"{len(prompt) + len(ids)} tokens to score: they must be 1 to {self.context}, with a prompt"
                )
        texts = [Text([*prompt, *ids], len(prompt), done=not ids) for prompt, ids in asked]
        self._new += texts
        try:
            for text in texts:
                self._compute(text)
                if text.error is not None:
                    raise text.error
        finally:
            for text in texts:
                text.done = True
        return [text.scores for text in texts]

    def save(self, prompt: Sequence[int]) -> tuple[list[int], bytes] | None:
        """What the engine holds of a prompt: ids, and the decoder's state after them; None when it holds nothing.

        Also None where the decoder cannot save a state.
        """
        with self._lock:
            place, length = self._longest(prompt)
            state = self.decoder.save(place, length) if length else b""
            return (self._slots[place].ids[:length], state) if state else None

    def restore(self, ids: Sequence[int], state: bytes) -> None:
        """Hold a state that `save` gave, so that these ids are not read again; raises ValueError if it does not fit.

        A state is trusted: give none that comes from somebody else. Where all slots, or all room, are in use, nothing
        is done.
        """
        with self._lock:
            if (free := self._free()) and len(ids) < self.context and self._has_room(len(ids)):
                self._slots[free[0]].ids = []
                self.decoder.keep(free[0], 0)
                self._make_room(len(ids))
                self.decoder.restore(free[0], state)
                self._slots[free[0]].ids = list(ids)

    def close(self) -> None:
        """Free the decoder's memory; the engine must not be used any more."""
        with self._lock:
            for slot in self._slots:
                slot.ids = []
            self.decoder.close()

    def _compute(self, text: Text) -> None:
        """Compute steps until there is something new for a text."""
        with self._lock:
            while not text.drawn and not text.done:
                self._step()

    # Below here the lock is held.

    def _step(self) -> None:
        """One forward pass for all open texts, and a token for each that has read its prompt."""
        self._steps += 1
        self._admit()
        feeds, texts, room = list[Feed](), list[Text](), STEP
        # Texts that draw come first: each needs one id, and somebody waits for every token. Then the oldest one.
        for text in sorted(self._open, key=lambda text: self._held(text) < text.needed):
            # One that was closed a moment ago may have lost its slot to another.
            if text.slot is not None and room > 0 and not text.done:
                feeds.append(self._feed(text, text.slot, room))
                texts.append(text)
                room -= len(feeds[-1].ids)
        if not feeds:
            return
        rows, at = self._read(feeds), 0
        for feed, text in zip(feeds, texts):
            count = len(feed.ids) if feed.every else 1
            if feed.every or feed.at + len(feed.ids) == len(text.ids):
                self._take(text, rows[at : at + count])
            at += count

    def _held(self, text: Text) -> int:
        return 0 if text.slot is None else len(self._slots[text.slot].ids)

    def _feed(self, text: Text, slot: int, room: int) -> Feed:
        at = min(self._held(text), text.needed)
        if text.sampler is not None:
            return Feed(slot, text.ids[at : at + room], at)
        if at < text.needed:  # logits within a prompt are of no use
            return Feed(slot, text.ids[at : min(at + room, text.needed)], at)
        return Feed(slot, text.ids[at : min(at + room, at + SCORED, len(text.ids) - 1)], at, every=True)

    def _read(self, feeds: Sequence[Feed]) -> Logits:
        for feed in feeds:  # what a failing read leaves behind is not known
            del self._slots[feed.slot].ids[feed.at :]
        rows = self.decoder.read(feeds)
        for feed in feeds:
            self._slots[feed.slot].ids += feed.ids
            self._slots[feed.slot].used = self._steps
        return rows

    def _take(self, text: Text, rows: Logits) -> None:
        """Draw a token from the logits that were needed, or score what stands there."""
        try:
            if text.sampler is None:
                first = text.needed + 1
                text.scores += [log_probabilities(row, id)[0] for row, id in zip(rows, text.ids[first:])]
                text.done = text.needed == len(text.ids) - 1
                return
            token = text.sampler.draw(rows[0], text.ids[text.prompt :], text.top)
        except Exception as error:  # it belongs to this text alone, and is raised where that is read
            text.error = error
            text.done = True
            return
        if token.id in text.stop:
            text.done = True
            return
        text.ids.append(token.id)
        text.left -= 1
        text.drawn.append(token)
        if not text.left:
            text.done = True

    def _free(self) -> list[int]:
        """The slots that no open text has, the least recently used first."""
        taken = {text.slot for text in self._open if not text.done}
        free = [at for at in range(len(self._slots)) if at not in taken]
        return sorted(free, key=lambda at: self._slots[at].used)

    def _admit(self) -> None:
        """Give slots to texts that wait for one, the longest waiting first."""
        while self._new:
            self._open.append(self._new.popleft())
        self._open = [text for text in self._open if not text.done]
        free = len(self._free())
        reading = [text for text in self._open if text.slot is not None and self._held(text) < text.prompt - 1]
        for text in self._open:
            if text.slot is None and free:
                most = text.prompt - 1 if text.sampler is None else text.needed  # the last one's logits are needed
                source, length = self._longest(text.ids[:most])
                if any(_shared(other.ids[: other.prompt], text.ids[:most]) > length for other in reading):
                    continue  # another is reading what both begin with
                if not self._has_room(text.most):
                    break  # nobody overtakes a text that waits for much room
                text.slot = self._place(source, length)
                self._make_room()
                free -= 1
                if length < most:
                    reading.append(text)

    def _place(self, source: int, length: int) -> int:
        """A free slot that holds the first `length` ids of the slot `source`, and nothing else."""
        free = self._free()
        known = self._slots[source].ids[:length]
        if source in free and (2 * length >= len(self._slots[source].ids) or free == [source]):
            place = source  # another text that only begins the same is kept otherwise
        else:
            place = next(at for at in free if at != source or not length)
            self._slots[place].ids = []
            if length:
                self.decoder.copy(source, place, length)
        if place == source or not length:
            self.decoder.keep(place, length)
        self._slots[place].ids = known
        self._slots[place].used = self._steps
        return place

    def _has_room(self, ids: int) -> bool:
        """Whether the decoder can hold so many ids beside all that the texts with a slot may come to hold."""
        return ids + sum(text.most for text in self._open if text.slot is not None) <= self.decoder.room

    def _make_room(self, ids: int = 0) -> None:
        """Forget what free slots hold, the least recently used first, until all texts with a slot have room."""
        free = self._free()
        held = ids + sum(text.most for text in self._open if text.slot is not None)
        held += sum(len(self._slots[at].ids) for at in free)
        for at in free:
            if held > self.decoder.room and self._slots[at].ids:
                held -= len(self._slots[at].ids)
                self._slots[at].ids = []
                self.decoder.keep(at, 0)

    def _longest(self, ids: Sequence[int]) -> tuple[int, int]:
        """The slot that holds the most of how `ids` begin, and how many of them."""
        lengths = [_shared(slot.ids, ids) for slot in self._slots]
        best = max(range(len(lengths)), key=lengths.__getitem__)
        return best, lengths[best]


def _shared(one: Sequence[int], other: Sequence[int]) -> int:
    """How many ids both begin with. Whole stretches are compared, and halved where they differ: it is asked often."""
    known, most = 0, min(len(one), len(other))
    if one[:most] == other[:most]:
        return most
    while most - known > 1:  # they share `known`, and not `most`
        middle = (known + most) // 2
        if one[known:middle] == other[known:middle]:
            known = middle
        else:
            most = middle
    return known
