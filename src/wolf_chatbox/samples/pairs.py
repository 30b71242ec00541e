"""Choices between two replies to rows: the chosen reply and the rejected one, each after the same prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wolf_chatbox.conversation import Turn
from wolf_chatbox.errors import ChatError
from wolf_chatbox.samples.briefing import NO_CARDS, Cards
from wolf_chatbox.samples.rendering import Renderer, Sample
from wolf_chatbox.scene import Scene


@dataclass(frozen=True)
class Pair(Sample):
    """The sample of a chosen reply, and after it that of a rejected one; a row holds both or neither."""

    middle: int
    """Where the rejected one begins."""
    reference: float = 0.0
    """How much likelier the chosen reply was than the rejected one before the run: the log of the ratio, in nats."""

    @classmethod
    def of(cls, chosen: Sample, rejected: Sample) -> Pair:
        return cls([*chosen.ids, *rejected.ids], [*chosen.learn, *rejected.learn], len(chosen))

    def parts(self) -> tuple[Sample, Sample]:
        """The chosen and the rejected sample."""
        at = self.middle
        return Sample(self.ids[:at], self.learn[:at]), Sample(self.ids[at:], self.learn[at:])


def render_pair(
    renderer: Renderer,
    context: Sequence[Turn],
    chosen: Turn,
    rejected: Turn,
    max_tokens: int,
    keep: float = 1.0,
    cards: Cards = NO_CARDS,
) -> Pair:
    """Two replies of one speaker to a context, in `max_tokens` together; the oldest turns leave as in a prompt.

    The speaker knows its card, if `cards` has one. `keep` is that of `Renderer.prompt`. Raises ChatError when a reply,
    or the last turn beside it, does not fit.
    """
    scene = cards.brief(Scene(tuple(context), chosen.speaker, learners=frozenset({chosen.speaker})))
    head = len(renderer.head(chosen.speaker, scene))
    replies = [renderer.turn(turn, scene) for turn in (chosen, rejected)]
    longest = max(map(len, replies)) - head
    prompt = renderer.prompt(scene, max_tokens // 2 - longest, keep) or [renderer.end_id]

    def after_prompt(reply: Sample) -> Sample:
        end = len(reply) - reply.learn[::-1].index(True)  # what stands behind the end token teaches nothing
        return Sample([*prompt, *reply.ids[head:end]], [0.0] * len(prompt) + [*reply.learn[head:end]])

    samples = [after_prompt(reply) for reply in replies]
    if max(map(len, samples)) > max_tokens // 2:
        raise ChatError(f"a reply is longer than {max_tokens // 2} tokens, half a row. Raise the tokens of a row.")
    return Pair.of(*samples)
