"""Conversations to token ids, for training and for talking alike.

A turn is rendered by itself, whatever stands around it, so the prompt for a turn is always a prefix of the ids that
training saw, in a view of a game with its briefing in front. The words of a person are encoded as plain text: a
`<|endoftext|>` typed by somebody is no end token.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.errors import ChatError, ModelError, StyleError
from wolf_chatbox.samples.styles import ASSISTANT, SYSTEM, USER, Chat, DialoGPT, Marks, Named, Style
from wolf_chatbox.werewolf.views import View

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

ROLES = frozenset({USER, ASSISTANT, SYSTEM})
SIDES = frozenset({"A", "B"})
MOST_REMEMBERED = 4096
"""Texts whose ids are kept: in the views of a game each line is rendered once for each player."""


@dataclass(frozen=True)
class Sample:
    """Token ids, and for each whether it is learnt (predicted from those before it); both of the same length."""

    ids: list[int]
    learn: list[bool]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass
class Rendered:
    """Samples, and what became of each turn: learnt + context + unused is the number of turns."""

    samples: list[Sample] = field(default_factory=list)
    learnt: int = 0
    context: int = 0
    """Turns that are seen and never learnt: others than the persona speak them."""
    unused: int = 0
    """Turns after which nothing is learnt in their sample; they would cost time and teach nothing."""
    cut: int = 0
    """Turns longer than a row, of which the beginning was kept."""

    def add(self, other: Rendered) -> None:
        self.samples += other.samples
        self.learnt += other.learnt
        self.context += other.context
        self.unused += other.unused
        self.cut += other.cut


class Renderer:
    """Renders turns in one style with one tokenizer; `persona` is the only speaker that is learnt, or None for all."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, style: Style, persona: str | None = None) -> None:
        self.tokenizer = tokenizer
        self.style = style
        self.persona = persona
        self._marks: dict[str, list[int]] = {}
        self._encode_text = lru_cache(MOST_REMEMBERED)(self._encode_plain)
        opening = tokenizer("x").input_ids
        self._start = self._encode_marks(style.start)
        if tokenizer.bos_token_id is not None and style.name != "chat" and opening[0] == tokenizer.bos_token_id:
            self._start = [tokenizer.bos_token_id, *self._start]
        special = {at for at, token in tokenizer.added_tokens_decoder.items() if token.special} | set(
            tokenizer.all_special_ids
        )
        self._special = special
        assistant = style.marks(persona if persona is not None else ASSISTANT)
        end = next((each for each in self._encode_marks(assistant.after) if each in special), None)
        if end is None:
            problem = "nothing marks the end of a turn in this model's template"
            raise StyleError(style.name, problem, "Use --style named.")
        self.end_id = end

    def learns(self, speaker: str, part: Conversation | None = None) -> bool:
        if isinstance(part, View):
            return speaker in part.learners
        return speaker != SYSTEM and (self.persona is None or speaker == self.persona)

    def turn(self, turn: Turn, part: Conversation | None = None) -> Sample:
        """One turn of a conversation (which matters for a view) with its marks; if it is learnt, its words and the end token are."""
        marks = self._marks_of(turn.speaker, part)
        head = self.head(turn.speaker, part)
        words = self.words(turn, part)
        after = self._encode_marks(marks.after)
        end = next((at + 1 for at, each in enumerate(after) if each in self._special), 0)
        learn = self.learns(turn.speaker, part)
        return Sample(
            [*head, *words, *after],
            [False] * len(head) + [learn] * (len(words) + end) + [False] * (len(after) - end),
        )

    def words(self, turn: Turn, part: Conversation | None = None) -> list[int]:
        """A turn's words alone."""
        return list(self._encode_text(f" {turn.text}" if self._marks_of(turn.speaker, part).label else turn.text))

    def head(self, speaker: str, part: Conversation | None = None) -> list[int]:
        """What stands before the words of a speaker's turn."""
        marks = self._marks_of(speaker, part)
        return [*self._encode_marks(marks.before), *(self._encode_text(marks.label) if marks.label else [])]

    def _marks_of(self, speaker: str, part: Conversation | None) -> Marks:
        # Whose view it is, is its assistant.
        if isinstance(part, View) and isinstance(self.style, Chat) and part.learners == {speaker}:
            return self.style.assistant
        return self.style.marks(speaker)

    def start(self, turns: Sequence[Turn]) -> list[int]:
        """What a conversation begins with: nothing where its first turn is a system turn, which brings its own."""
        system = self.style.name == "chat" and turns and turns[0].speaker == SYSTEM
        return [] if system else self._start

    def opening(self, view: View, max_tokens: int) -> list[int]:
        """What each sample of a view begins with: its briefing, in half the tokens at most.

        Of a longer one the lines after the first are left out, one by one, and then the end of the first.
        """
        systematic = isinstance(self.style, Chat) and self.style.system is not None
        speaker = SYSTEM if systematic else view.narrator
        start = self.start([Turn(speaker, "")])
        head, after = self.head(speaker), self._encode_marks(self.style.marks(speaker).after)
        room = max(0, max_tokens // 2 - len(start) - len(head) - len(after))
        lines = view.briefing.split("\n")
        space = " " if self.style.marks(speaker).label else ""
        while len(words := self._encode_text(space + "\n".join(lines))) > room and len(lines) > 1:
            del lines[1]
        return [*start, *head, *words[:room], *after]

    def prompt(
        self, history: Sequence[Turn], speaker: str, max_tokens: int, part: Conversation | None = None
    ) -> list[int]:
        """The ids after which `speaker` speaks; the oldest turns are left out, whole, until the rest fits.

        A history in a view begins with its briefing, which is never left out. Raises ChatError when the last turn alone does not fit.
        """
        view = part if isinstance(part, View) else None
        system = list(history[:1]) if history and history[0].speaker == SYSTEM and view is None else []
        start = (
            self.opening(view, max_tokens)
            if view
            else [*self.start(history), *(each for turn in system for each in self.turn(turn).ids)]
        )
        head = self.head(speaker, view)
        turns = [self.turn(turn, view).ids for turn in history[len(system) :]]
        room = max_tokens - len(start) - len(head)
        if turns and len(turns[-1]) > room:
            raise ChatError(
                f"your message is {len(turns[-1]):,} tokens long, and {max(room, 0):,} fit into the model's context. Say it in fewer words."
            )
        first, used = len(turns), 0
        while first and used + len(turns[first - 1]) <= room:
            first -= 1
            used += len(turns[first])
        return [*start, *(each for ids in turns[first:] for each in ids), *head]

    def render(
        self,
        conversation: Conversation,
        max_tokens: int,
        context_tokens: int,
        parts: Sequence[Conversation] | None = None,
    ) -> Rendered:
        """Cut a conversation into samples of at most `max_tokens`; each turn is learnt in exactly one of them.

        A sample after the first begins with up to `context_tokens` of the turns before it, which it does not learn again.
        Of a game its views are the `parts` that are rendered; a turn seen in many counts once, the narrator's turns count as none.
        """
        rendered = Rendered()
        learnt: set[int] = set()
        seen: set[int] = set()
        for each in [conversation] if parts is None else parts:
            self._cut(each, max_tokens, context_tokens, rendered, learnt, seen)
        turns = (
            len(conversation.turns)
            if not isinstance(conversation, View)
            else sum(place >= 0 for place in conversation.places)
        )
        rendered.learnt = len(learnt)
        rendered.context = len(seen) - len(learnt)
        rendered.unused = turns - len(seen)
        return rendered

    def _cut(
        self,
        part: Conversation,
        max_tokens: int,
        context_tokens: int,
        rendered: Rendered,
        learnt: set[int],
        seen: set[int],
    ) -> None:
        """Add a part's samples to `rendered`, and its turns, by their place in the whole, to those learnt and those seen."""
        view = part if isinstance(part, View) else None
        places = view.places if view else range(len(part.turns))
        pieces = [self.turn(turn, part) for turn in part.turns]
        lengths = [len(piece) for piece in pieces]
        start = self.opening(view, max_tokens) if view else self.start(part.turns)
        at = 0
        while at < len(pieces):
            begin, end = fit(lengths, at, max_tokens - len(start), context_tokens)
            # What follows the last learnt turn teaches nothing here; the next sample takes it as its context.
            last = max((each for each in range(at, end) if any(pieces[each].learn)), default=at)
            ids = [*start, *(each for piece in pieces[begin : last + 1] for each in piece.ids)]
            learn = [False] * (len(start) + sum(len(piece) for piece in pieces[begin:at]))
            learn += [each for piece in pieces[at : last + 1] for each in piece.learn]
            # The first token of a row has nothing before it to be predicted from.
            sample = Sample(ids[:max_tokens], [False, *learn[1:max_tokens]])
            if any(sample.learn):
                rendered.samples.append(sample)
                rendered.cut += len(ids) > max_tokens
                learnt.update(places[each] for each in range(at, last + 1) if any(pieces[each].learn))
                seen.update(places[each] for each in range(begin, last + 1) if places[each] >= 0)
            at = end

    def decode(self, ids: Sequence[int]) -> str:
        """The words in generated ids; marks are left out."""
        return str(self.tokenizer.decode(list(ids), skip_special_tokens=True))

    def _encode_plain(self, text: str) -> tuple[int, ...]:
        return tuple(self.tokenizer(text, add_special_tokens=False, split_special_tokens=True).input_ids)

    def _encode_marks(self, marks: str) -> list[int]:
        if marks not in self._marks:
            self._marks[marks] = list(self.tokenizer(marks, add_special_tokens=False).input_ids) if marks else []
        return self._marks[marks]


def fit(lengths: Sequence[int], at: int, room: int, context_tokens: int) -> tuple[int, int]:
    """Where a sample begins and ends that learns from turn `at` on: of turns of these lengths, as many as `room` tokens hold.

    Between half and all of `context_tokens` may be context; it is as much as fills the room best. What room is left where the
    next turn is too long is filled with more context: a row costs the same.
    """
    choices = []  # (context, size, begin, end)
    begin, context = at, 0
    while True:
        end, size = at + 1, context + lengths[at]
        while end < len(lengths) and size + lengths[end] <= room:
            size += lengths[end]
            end += 1
        choices.append((context, size, begin, end))
        if (
            not begin
            or context + lengths[begin - 1] > context_tokens
            or context + lengths[begin - 1] + lengths[at] > room
        ):
            break
        begin -= 1
        context += lengths[begin]
    enough = choices[-1][0] / 2
    _, size, begin, end = max((each for each in choices if each[0] >= enough), key=lambda each: (each[1], each[0]))
    while begin and end < len(lengths) and size + lengths[begin - 1] <= room:
        begin -= 1
        size += lengths[begin]
    return begin, end


def choose_style(tokenizer: PreTrainedTokenizerBase, speakers: Collection[str]) -> tuple[str, str]:
    """The style that suits the base model and the data, and the reason in words."""
    if not set(speakers) <= ROLES and not set(speakers) <= SIDES:
        return "named", "the speakers have names"
    if tokenizer.chat_template:
        return "chat", "two sides talk, and the base model has a chat template"
    return "dialogpt", "two sides talk, and the base model has no chat template"


def find_assistant(persona: str | None, speakers: Collection[str], *, by_view: bool = False) -> str | None:
    """Who is the assistant in the style chat; None where each view has its own. Raises StyleError when nobody is."""
    if persona is None and ASSISTANT in speakers:
        return ASSISTANT
    if persona is None and not by_view:
        raise StyleError("chat", "no speaker is the assistant", "Pass --persona NAME, or use --style named.")
    return persona


def make_renderer(
    tokenizer: PreTrainedTokenizerBase,
    style: str,
    persona: str | None,
    user: str,
    speakers: Mapping[str, int] | Collection[str],
    *,
    by_view: bool = False,
) -> Renderer:
    """The renderer of a style for a persona; `user` is the speaker whose part a person takes in a chat.

    `by_view` tells that all there is to render are views of one player each, which need no persona.
    Raises ModelError when the base model has no end token, StyleError when the style needs a persona and has none.
    """
    end = tokenizer.eos_token
    if style == "chat":
        persona = find_assistant(persona, speakers, by_view=by_view)
        if persona is None:
            return Renderer(tokenizer, Chat.of(tokenizer, ASSISTANT, speakers))
        return Renderer(tokenizer, Chat.of(tokenizer, persona, [each for each in speakers if each != persona]), persona)
    if not end:
        raise ModelError(
            "the base model has no end token, so it could never learn to stop. Use a base model whose tokenizer has an eos_token."
        )
    if style == "dialogpt":
        return Renderer(tokenizer, DialoGPT(end), persona)
    return Renderer(tokenizer, Named(end, persona or _most_talkative(speakers, user), user), persona)


def _most_talkative(speakers: Mapping[str, int] | Collection[str], user: str) -> str:
    if isinstance(speakers, Mapping):
        return max(
            (each for each in speakers if each not in (user, SYSTEM)),
            key=lambda each: speakers[each],
            default=ASSISTANT,
        )
    return next((each for each in speakers if each not in (user, SYSTEM)), ASSISTANT)
