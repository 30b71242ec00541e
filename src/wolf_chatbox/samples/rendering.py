"""Scenes to token ids, for training and for talking alike.

Each turn is rendered by itself, whatever stands around it. So the prompt for a turn is always a prefix of the ids that
training saw. What a person types is encoded as plain text: a typed `<|endoftext|>` is not an end token.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from wolf_chatbox.conversation import Turn
from wolf_chatbox.errors import ChatError, StyleError
from wolf_chatbox.samples.fitting import first_kept, fit
from wolf_chatbox.samples.styles import ASSISTANT, SYSTEM, USER, Chat, Marks, Style, find_assistant, make_style
from wolf_chatbox.scene import Scene

if TYPE_CHECKING:
    from wolf_chatbox.samples.tokenizer import Tokenizer

CACHED_TEXTS = 4096
"""Texts whose ids are cached: in the views of a game each line is rendered once for each player."""
NARRATED = {-1}
"""The place of a narrator's turn, which is not a turn of the data."""


@dataclass(frozen=True)
class Sample:
    """Token ids, and for each how much its prediction from those before it counts; both of the same length."""

    ids: list[int]
    learn: Sequence[float]
    """1 for what is learnt, 0 for context; between them for turns that are learnt at a smaller weight."""

    def __len__(self) -> int:
        return len(self.ids)


@dataclass
class Rendered:
    """Samples, and what became of each turn: learnt + context + unused is the number of turns."""

    samples: list[Sample] = field(default_factory=list)
    learnt: int = 0
    context: int = 0
    """Turns that are read and never learnt: their speaker is not the persona."""
    unused: int = 0
    """Turns that no learnt turn follows in any sample; they would cost time and teach nothing."""
    cut: int = 0
    """Turns longer than a row, of which the beginning was kept."""

    def add(self, other: Rendered) -> None:
        self.samples += other.samples
        self.learnt += other.learnt
        self.context += other.context
        self.unused += other.unused
        self.cut += other.cut


class Renderer:
    """Renders scenes in one style with one tokenizer.

    `persona` is the only speaker that is learnt, None learns everybody; a scene may name others (`Scene.learners`).
    Raises StyleError when nothing marks the end of a turn.
    """

    def __init__(self, tokenizer: Tokenizer, style: Style, persona: str | None = None) -> None:
        self.tokenizer = tokenizer
        self.style = style
        self.persona = persona
        self._marks: dict[str, list[int]] = {}
        self._encode_text = lru_cache(CACHED_TEXTS)(self._encode_plain)
        encoded = tokenizer("x").input_ids
        self._start = self._encode_marks(style.start)
        if tokenizer.bos_token_id is not None and style.name != "chat" and encoded[0] == tokenizer.bos_token_id:
            self._start = [tokenizer.bos_token_id, *self._start]
        added = {id for id, token in tokenizer.added_tokens_decoder.items() if token.special}
        self._special = added | set(tokenizer.all_special_ids)
        marks = style.marks(persona if persona is not None else ASSISTANT)
        end = next((id for id in self._encode_marks(marks.after) if id in self._special), None)
        if end is None:
            problem = "the model's chat template does not mark the end of a turn"
            raise StyleError(style.name, problem, "Use --style named.")
        self.end_id = end

    def learns(self, speaker: str, scene: Scene) -> bool:
        """Whether the turns of this speaker are learnt."""
        if scene.learners is not None:
            return speaker in scene.learners
        return speaker != SYSTEM and (self.persona is None or speaker == self.persona)

    def turn(self, turn: Turn, scene: Scene, others: float = 0.0) -> Sample:
        """One turn of a scene with its marks; learnt are its words and end token, others' at the weight `others`."""
        marks = self._marks_of(turn.speaker, scene)
        head = self._head(marks)
        words = self._words(turn.text, marks)
        after = self._encode_marks(marks.after)
        end = next((at + 1 for at, id in enumerate(after) if id in self._special), 0)
        weight = (
            1.0 if self.learns(turn.speaker, scene) else 0.0 if turn.speaker in (SYSTEM, scene.narrator) else others
        )
        return Sample(
            [*head, *words, *after], [0.0] * len(head) + [weight] * (len(words) + end) + [0.0] * (len(after) - end)
        )

    def words(self, turn: Turn, scene: Scene) -> list[int]:
        """The ids of a turn's words alone."""
        return list(self._words(turn.text, self._marks_of(turn.speaker, scene)))

    def head(self, speaker: str, scene: Scene) -> list[int]:
        """The ids before the words of a speaker's turn."""
        return self._head(self._marks_of(speaker, scene))

    def _head(self, marks: Marks) -> list[int]:
        return [*self._encode_marks(marks.before), *(self._encode_text(marks.label) if marks.label else [])]

    def _words(self, text: str, marks: Marks) -> tuple[int, ...]:
        return self._encode_text(f" {text}" if marks.label else text)

    def _marks_of(self, speaker: str, scene: Scene) -> Marks:
        if speaker == scene.observer and isinstance(self.style, Chat):
            return self.style.assistant
        return self.style.marks(speaker)

    def start(self, scene: Scene, max_tokens: int) -> list[int]:
        """The ids that each sample of a scene begins with: the style's start, and the opening in half of `max_tokens`.

        A first system turn brings the style's start with it. Of an opening that is too long the lines after the first
        are left out, one by one, and then the end of the first.
        """
        if not scene.opening:
            return [] if self._begins_with_system(scene) else self._start
        has_system = isinstance(self.style, Chat) and self.style.system is not None
        marks = self.style.marks(SYSTEM if has_system else scene.narrator)
        before = [*([] if has_system else self._start), *self._head(marks)]
        after = self._encode_marks(marks.after)
        room = max(0, max_tokens // 2 - len(before) - len(after))
        lines = scene.opening.split("\n")
        while len(words := self._words("\n".join(lines), marks)) > room and len(lines) > 1:
            del lines[1]
        return [*before, *words[:room], *after]

    def _begins_with_system(self, scene: Scene) -> bool:
        return self.style.name == "chat" and bool(scene.turns) and scene.turns[0].speaker == SYSTEM

    def prompt(self, scene: Scene, max_tokens: int, keep: float = 1.0) -> list[int]:
        """The ids after which `scene.speaker` speaks; the oldest turns are left out, whole, until the rest fits.

        With `keep` below 1 they leave in blocks: where the turns outgrow the room, as many are left out as it takes to
        fill that share of it, and the next prompts begin in the same place, until they outgrow it again. The opening,
        or without one a first system turn, is never left out, nor what is recalled, which takes a quarter of
        `max_tokens` at most. Raises ChatError when the last turn alone does not fit.
        """
        assert scene.speaker is not None, "nobody is to speak"
        start, turns = self._fitting(scene, max_tokens, keep)
        return [*start, *(id for turn in turns for id in self.turn(turn, scene).ids), *self.head(scene.speaker, scene)]

    def held(self, scene: Scene, max_tokens: int, keep: float = 1.0) -> int:
        """How many turns of a scene its prompt holds, the last ones; raises ChatError as `prompt` does."""
        return len(self._fitting(scene, max_tokens, keep)[1])

    def _fitting(self, scene: Scene, max_tokens: int, keep: float) -> tuple[list[int], Sequence[Turn]]:
        """What a prompt begins with, and the turns that follow it."""
        kept = int(not scene.opening and bool(scene.turns) and scene.turns[0].speaker == SYSTEM)
        start = [
            *self.start(scene, max_tokens),
            *(id for turn in scene.turns[:kept] for id in self.turn(turn, scene).ids),
        ]
        turns = scene.turns[kept:]
        lengths = [self._length(turn, scene) for turn in turns]
        # Where the blocks begin must not depend on who speaks next.
        names = {scene.speaker, *(scene.speakers() if keep < 1 else ())} - {None}
        room = max_tokens - len(start) - max(len(self.head(name, scene)) for name in names if name is not None)
        recalled = self._recalled(scene, max_tokens // 4)
        if not turns or lengths[-1] <= room - len(recalled):
            start, room = [*start, *recalled], room - len(recalled)
        if turns and lengths[-1] > room:
            raise ChatError(
                f"the message has {lengths[-1]:,} tokens, and {max(room, 0):,} fit into the model's context. "
                "Shorten it."
            )
        return start, turns[first_kept(lengths, room, keep) :]

    def _recalled(self, scene: Scene, most: int) -> list[int]:
        """The last pieces of what is recalled that fit, whole, into so many tokens."""
        ids: list[int] = []
        for piece in reversed(scene.recalled):
            before = [id for turn in piece for id in self.turn(turn, scene).ids]
            if len(before) + len(ids) <= most:
                ids = [*before, *ids]
        return ids

    def _length(self, turn: Turn, scene: Scene) -> int:
        marks = self._marks_of(turn.speaker, scene)
        return len(self._head(marks)) + len(self._words(turn.text, marks)) + len(self._encode_marks(marks.after))

    def turn_marks(self) -> set[int]:
        """The special tokens that stand before the words of a turn: after one, somebody else speaks."""
        marks = [self.style.marks(name).before for name in (self.persona or ASSISTANT, USER, SYSTEM)]
        return {id for before in marks for id in self._encode_marks(before) if id in self._special}

    def template(self) -> str:
        """The Jinja chat template with which other programs make the same prompts, from messages and their names.

        `name` is the speaker of a message. A special token that somebody typed is one there: a template gives text.
        """
        if self.style.name == "chat":
            return self.style.template()
        begins = bool(self._start) and self._start[0] == self.tokenizer.bos_token_id
        begin = "{{ bos_token }}" if begins else ""
        if not begins and self.style.name == "dialogpt":  # a prompt cannot be empty
            begin = "{% if not messages and add_generation_prompt %}{{ eos_token }}{% endif %}"
        return begin + self.style.template()

    def render(
        self,
        scenes: Sequence[Scene],
        max_tokens: int,
        context_tokens: int,
        turns: int | None = None,
        others: float = 0.0,
    ) -> Rendered:
        """Cut the scenes of one conversation into samples of at most `max_tokens`; each turn is learnt in one of them.

        A sample after the first begins with up to `context_tokens` of the turns before it, which it does not learn
        again. `turns` is how many turns the conversation has, if the scenes do not hold them all. A turn that is seen
        in many scenes counts once, the narrator's turns do not count. `others` is the weight of the turns of speakers
        who are not to be learnt; above 0 they count as learnt.
        """
        rendered = Rendered()
        learnt, seen, heard = set[int](), set[int](), set[int]()
        for scene in scenes:
            places = scene.places or range(len(scene.turns))
            heard.update(places)
            for sample, is_cut, learns, holds in self._cut(scene, max_tokens, context_tokens, others):
                rendered.samples.append(sample)
                rendered.cut += is_cut
                learnt.update(places[at] for at in learns)
                seen.update(places[at] for at in holds)
        rendered.learnt = len(learnt)
        rendered.context = len(seen - NARRATED) - len(learnt)
        rendered.unused = (len(heard - NARRATED) if turns is None else turns) - len(seen - NARRATED)
        return rendered

    def _cut(
        self, scene: Scene, max_tokens: int, context_tokens: int, others: float
    ) -> Iterator[tuple[Sample, bool, list[int], range]]:
        """The samples of a scene; with each, whether its turn was cut, and which turns it learns and which it holds."""
        pieces = [self.turn(turn, scene, others) for turn in scene.turns]
        lengths = [len(piece) for piece in pieces]
        start = self.start(scene, max_tokens)
        at = 0
        while at < len(pieces):
            begin, end = fit(lengths, at, max_tokens - len(start), context_tokens)
            learns = [turn for turn in range(at, end) if any(pieces[turn].learn)]
            # What follows the last learnt turn teaches nothing here; the next sample takes it as its context.
            last = learns[-1] if learns else at
            ids = [*start, *(id for piece in pieces[begin : last + 1] for id in piece.ids)]
            learn = [0.0] * (len(start) + sum(lengths[begin:at]))
            learn += [weight for piece in pieces[at : last + 1] for weight in piece.learn]
            # The first token of a row has nothing before it to be predicted from.
            sample = Sample(ids[:max_tokens], [0.0, *learn[1:max_tokens]])
            if any(sample.learn):
                yield sample, len(ids) > max_tokens, learns, range(begin, last + 1)
            at = end

    def decode(self, ids: Sequence[int]) -> str:
        """The words in generated ids, without marks."""
        return str(self.tokenizer.decode(list(ids), skip_special_tokens=True))

    def _encode_plain(self, text: str) -> tuple[int, ...]:
        return tuple(self.tokenizer(text, add_special_tokens=False, split_special_tokens=True).input_ids)

    def _encode_marks(self, marks: str) -> list[int]:
        if marks not in self._marks:
            self._marks[marks] = list(self.tokenizer(marks, add_special_tokens=False).input_ids) if marks else []
        return self._marks[marks]


def make_renderer(
    tokenizer: Tokenizer,
    style: str,
    persona: str | None,
    user: str,
    speakers: Mapping[str, int] | Collection[str],
    *,
    by_view: bool = False,
) -> Renderer:
    """The renderer of a style for a persona; `user` is the speaker whose part a person takes in a chat.

    `by_view` says that all scenes are views of one player each, which need no persona. Raises ModelError when the base
    model has no end token, StyleError when the style needs a persona and has none, or does not fit the base model.
    """
    if style == "chat":
        persona = find_assistant(persona, speakers, by_view=by_view)
    return Renderer(tokenizer, make_style(tokenizer, style, persona, user, speakers), persona)
