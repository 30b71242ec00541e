"""The engine: streams of tokens out of a decoder's logits. Streams that are open at once share forward passes.

Whoever waits for a token computes one step for all open streams, and keeps what the others drew for them. So an engine
needs no thread of its own: one caller draws eight candidates by asking eight streams in turn, and a server asks from as
many threads as it has clients.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.model.engines.decoder import Decoder, Feed, Logits
from wolf_chatbox.model.engines.repetition import Repetition
from wolf_chatbox.model.engines.sampling import Sampler, Token, log_probabilities

if TYPE_CHECKING:
    from wolf_chatbox.samples.tokenizer import Tokenizer

STEP = 512
"""Ids that one step reads at most: a long prompt is read in parts, and the other streams go on meanwhile."""
SCORED = 64
"""Ids whose logits are held at once while a text is scored."""


@dataclass
class _Slot:
    ids: list[int] = field(default_factory=list)
    """What the decoder holds there."""
    stream: _Stream | None = None
    used: int = 0
    """The step of its last use."""
    reserved: int = 0
    """Ids for which the decoder keeps room, while a reply is drawn here or a text scored."""

    def room(self) -> int:
        return max(len(self.ids), self.reserved)


@dataclass
class _Stream:
    ids: list[int]
    """The prompt, and what was drawn."""
    prompt: int
    """The length of the prompt, without a part of the reply that it may end with."""
    left: int
    """Tokens that may still be drawn."""
    stop: Collection[int]
    sampler: Sampler
    top: int | None
    slot: int | None = None
    drawn: deque[Token] = field(default_factory=deque)
    done: bool = False
    error: Exception | None = None


class Engine:
    """Draws replies with one decoder. Its methods may be called from several threads.

    Without the tokenizer there are no words, and `no_repeat_phrase` has no effect.
    """

    def __init__(self, decoder: Decoder, tokenizer: Tokenizer | None = None) -> None:
        self.decoder = decoder
        self.context = decoder.context
        self._repetition = Repetition(tokenizer) if tokenizer is not None else None
        self._slots = [_Slot() for _ in range(decoder.slots)]
        self._open: list[_Stream] = []
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
    ) -> Iterator[Token]:
        """Yield a reply's tokens as they are drawn, up to an id of `stop`, which is not yielded.

        The last `begun` ids of the prompt belong to the reply already, which goes on after them: the rules against
        repetition look at the reply alone. `top` asks for log-probabilities, and that many alternatives. Close the
        iterator to stop early. Raises ValueError when the prompt is empty or fills the context, ModelError when the
        logits are NaN or infinite.
        """
        if not 0 < len(prompt) < self.context:
            raise ValueError(f"a prompt of {len(prompt)} tokens: it must have 1 to {self.context - 1}")
        left = min(sampling.max_new_tokens, self.context - len(prompt))
        sampler = Sampler(sampling, seed, self._repetition)
        stream = _Stream(list(prompt), len(prompt) - begun, left, stop, sampler, top)
        with self._lock:
            self._open.append(stream)
        try:
            while (token := self._next(stream)) is not None:
                yield token
        finally:
            with self._lock:
                self._end(stream)

    def score(self, prompt: Sequence[int], ids: Sequence[int]) -> list[float]:
        """The natural log-probability of each of `ids` after `prompt` and those before it.

        Raises ValueError when the prompt is empty, or both together are longer than the context.
        """
        whole = [*prompt, *ids]
        if not prompt or len(whole) > self.context:
            raise ValueError(f"{len(whole)} tokens to score: they must be 1 to {self.context}, with a prompt")
        with self._lock:
            while not self._has_room(len(whole)):
                self._step()
            place = self._place(whole[: len(prompt) - 1], len(prompt) - 1, len(whole))
            slot = self._slots[place]
            slot.reserved = 0  # nothing else is done before the end
            scores: list[float] = []
            at = len(slot.ids)
            while at < len(whole) - 1:
                wanted = at >= len(prompt) - 1
                until = min(at + SCORED, len(whole) - 1) if wanted else min(at + STEP, len(prompt) - 1)
                rows = self._read([Feed(place, whole[at:until], at, every=wanted)])
                if wanted:
                    scores += [log_probabilities(row, id)[0] for row, id in zip(rows, whole[at + 1 : until + 1])]
                at = until
            return scores

    def save(self, prompt: Sequence[int]) -> tuple[list[int], bytes] | None:
        """What the engine holds of a prompt: ids, and the decoder's state after them; None when it holds nothing."""
        with self._lock:
            place, length = self._longest(prompt)
            if not length:
                return None
            return self._slots[place].ids[:length], self.decoder.save(place, length)

    def restore(self, ids: Sequence[int], state: bytes) -> None:
        """Hold a state that `save` gave, so that these ids are not read again; raises ValueError if it does not fit.

        A state is trusted: give none that comes from somebody else.
        """
        with self._lock:
            if len(ids) < self.context and self._has_room(len(ids)):
                place = self._place((), 0, len(ids))
                self._slots[place].reserved = 0
                self.decoder.restore(place, state)
                self._slots[place].ids = list(ids)

    # Below here the lock is held.

    def _next(self, stream: _Stream) -> Token | None:
        with self._lock:
            while not stream.drawn and not stream.done:
                self._step()
            if stream.drawn:
                return stream.drawn.popleft()
            if stream.error is not None:
                raise stream.error
            return None

    def _end(self, stream: _Stream) -> None:
        stream.done = True
        if stream.slot is not None:
            self._slots[stream.slot].stream = None
            self._slots[stream.slot].reserved = 0
            stream.slot = None
        if stream in self._open:
            self._open.remove(stream)

    def _step(self) -> None:
        """One forward pass for all open streams, and a token for each that has read its prompt."""
        self._steps += 1
        self._admit()
        feeds, streams, room = list[Feed](), list[_Stream](), STEP
        # Streams that draw come first: each needs one id, and somebody is waiting for every token.
        for stream in sorted(self._open, key=lambda stream: len(stream.ids) - self._read_of(stream)):
            if stream.slot is not None and room > 0:
                at = self._read_of(stream)
                feeds.append(Feed(stream.slot, stream.ids[at : at + room], at))
                streams.append(stream)
                room -= len(feeds[-1].ids)
        for stream, logits in zip(streams, self._read(feeds)):
            if self._read_of(stream) == len(stream.ids):
                self._draw(stream, logits)

    def _read_of(self, stream: _Stream) -> int:
        return 0 if stream.slot is None else len(self._slots[stream.slot].ids)

    def _read(self, feeds: Sequence[Feed]) -> Logits:
        for feed in feeds:  # what a failing read leaves behind is not known
            del self._slots[feed.slot].ids[feed.at :]
        rows = self.decoder.read(feeds)
        for feed in feeds:
            self._slots[feed.slot].ids += feed.ids
            self._slots[feed.slot].used = self._steps
        return rows

    def _draw(self, stream: _Stream, logits: Logits) -> None:
        try:
            token = stream.sampler.draw(logits, stream.ids[stream.prompt :], stream.top)
        except Exception as error:  # it belongs to this stream alone, and is raised where that is read
            stream.error = error
            self._end(stream)
            return
        if token.id in stream.stop:
            self._end(stream)
            return
        stream.drawn.append(token)
        stream.ids.append(token.id)
        stream.left -= 1
        if not stream.left:
            self._end(stream)

    def _admit(self) -> None:
        """Give slots to streams that wait for one, the longest waiting first."""
        for stream in list(self._open):
            if stream.slot is not None:
                continue
            if not self._has_room(len(stream.ids) + stream.left):
                return
            most = len(stream.ids) - 1  # the last id is read again: its logits are needed
            if any(
                other.slot is not None
                and _shared(other.ids, stream.ids, most) > self._longest(stream.ids[:most])[1]
                and self._read_of(other) < other.prompt
                for other in self._open
            ):
                continue  # another stream is reading what both begin with
            stream.slot = self._place(stream.ids, most, len(stream.ids) + stream.left)
            self._slots[stream.slot].stream = stream

    def _has_room(self, ids: int) -> bool:
        """Whether a slot is free, and the decoder has room for so many ids beside the streams that it reads."""
        taken = [slot.reserved for slot in self._slots if slot.stream]
        return len(taken) < len(self._slots) and sum(taken) + ids <= self.decoder.room

    def _place(self, ids: Sequence[int], most: int, reserved: int) -> int:
        """A free slot that holds as much as is known of the first `most` ids, and nothing else.

        It has room for `reserved` ids: what else free slots hold is forgotten if need be, the longest unused first.
        """
        source, length = self._longest(ids[:most])
        free = [at for at, slot in enumerate(self._slots) if slot.stream is None]
        place = min(free, key=lambda at: self._slots[at].used)
        if source in free and 2 * length >= len(self._slots[source].ids):
            place = source  # another text that only begins the same is kept
        if length and (source != place or length < len(self._slots[source].ids)):
            self.decoder.copy(source, place, length)
        self._slots[place].ids = self._slots[source].ids[:length]
        self._slots[place].used = self._steps
        self._slots[place].reserved = reserved
        others = sorted((at for at in free if at != place), key=lambda at: self._slots[at].used)
        while sum(slot.room() for slot in self._slots) > self.decoder.room:
            oldest = others.pop(0)
            self._slots[oldest].ids.clear()
            self.decoder.forget(oldest)
        if not length:
            self.decoder.forget(place)
        return place

    def _longest(self, ids: Sequence[int]) -> tuple[int, int]:
        """The slot that holds the most of how `ids` begin, and how many of them."""
        lengths = [_shared(slot.ids, ids, len(ids)) for slot in self._slots]
        best = max(range(len(lengths)), key=lengths.__getitem__)
        return best, lengths[best]


def _shared(one: Sequence[int], other: Sequence[int], most: int) -> int:
    """How many ids both begin with, at most `most`."""
    most = min(len(one), len(other), most)
    if one[:most] == other[:most]:
        return most
    return next(at for at in range(most) if one[at] != other[at])
