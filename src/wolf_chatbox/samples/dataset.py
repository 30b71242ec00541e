"""From files to rows: everything that happens to the data before the first update, with every turn accounted for."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wolf_chatbox.config import TrainConfig
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.data.cleaning import clean, leak
from wolf_chatbox.data.privacy.pseudonyms import name_now
from wolf_chatbox.data.split import (
    count_speakers,
    find_speaker,
    hold_out_groups,
    hold_out_speaker,
    partner_of,
    split,
    split_in_time,
)
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError, StyleError
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.samples.packing import Row, pack, share_filled
from wolf_chatbox.samples.rendering import Rendered, Renderer, make_renderer
from wolf_chatbox.samples.styles import choose_style, find_assistant
from wolf_chatbox.scene import Scene
from wolf_chatbox.werewolf.views import learners_of, view

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

CONTEXT_SHARE = 8
HELD_OUT_CONTEXT_SHARE = 4
"""A sample that continues a conversation begins with up to 1/8 of a row of the turns before it, 1/4 where it is held out.

More context to learn from costs time and teaches little (docs/benchmarks.md); what is measured has more, as in a chat.
"""


Parts = list[tuple[Conversation, list[Scene]]]
"""Conversations, each with the scenes that are rendered of it: a game's views, or the whole conversation."""


@dataclass
class Dataset:
    """Rows to learn from and rows held out, and what is told and recorded of them."""

    renderer: Renderer
    style_reason: str
    persona: str | None
    user: str
    speakers: Counter[str]
    tally: Tally
    conversations: int
    training: Rendered
    held_out: Rendered
    rows: list[Row]
    held_out_rows: list[Row]
    max_tokens: int
    contexts: list[tuple[Scene, Turn]]
    """Scenes of the held-out (or, without any, the training) split, and the turn that was said next in each."""
    notices: list[str] = field(default_factory=list)
    leak: float | None = None
    """Share of the held-out conversations that are nearly one to learn from; None where none could be compared."""

    @property
    def tokens(self) -> int:
        return sum(len(sample) for row in self.rows + self.held_out_rows for sample in row)

    @property
    def learnt_tokens(self) -> int:
        return sum(sum(sample.learn) for row in self.rows for sample in row)

    def turns(self) -> dict[str, int]:
        """What became of each turn that was read; the values add up to `read`."""
        dropped = sum(self.tally.dropped.values()) + self.training.unused + self.held_out.unused
        held_out = self.held_out.learnt + self.held_out.context
        return {
            "read": self.tally.read,
            "learnt": self.training.learnt,
            "held out": held_out,
            "context only": self.training.context,
            **({"joined": self.tally.joined} if self.tally.joined else {}),
            "dropped": dropped,
        }

    def dropped(self) -> dict[str, int]:
        """Dropped turns by reason."""
        unused = self.training.unused + self.held_out.unused
        return dict(self.tally.dropped) | ({"nothing to learn after them": unused} if unused else {})

    def fingerprint(self) -> str:
        """SHA-256 of all the token ids and what is learnt of them, in order."""
        digest = hashlib.sha256()
        for row in self.rows + self.held_out_rows:
            for sample in row:
                digest.update(json.dumps([sample.ids, [int(each) for each in sample.learn]]).encode())
        return digest.hexdigest()

    def record(self, *, hidden: bool = False) -> dict[str, Any]:
        """What run.json keeps of the data; `hidden` without names of files."""
        return {
            "files": [
                {"path": path, "format": title}
                for path, title in (self.tally.files(hidden=True) if hidden else self.tally.formats)
            ],
            "conversations": self.conversations,
            "turns": self.turns(),
            "dropped": self.dropped(),
            "cut_turns": self.training.cut + self.held_out.cut,
            "speakers": dict(self.speakers.most_common()),
            "tokens": self.tokens,
            "learnt_tokens": self.learnt_tokens,
            "rows": len(self.rows),
            "held_out_rows": len(self.held_out_rows),
            "leak": self.leak,
            "rows_filled": round(share_filled(self.rows, self.max_tokens), 4),
            "fingerprint": self.fingerprint(),
        }


@dataclass(frozen=True)
class Material:
    """What is read for a run, before any model is looked for."""

    conversations: list[Conversation]
    tally: Tally
    speakers: Counter[str]
    persona: str | None
    apart: tuple[list[Conversation], list[Conversation]] | None
    """What to learn from and what is held out, where the settings name it."""

    def notices(self) -> list[str]:
        alone = next(iter(self.speakers)) if len(self.speakers) == 1 else None
        return self.tally.told() + (
            [f"only {alone} speaks: the model learns to go on talking, not to answer"] if alone else []
        )


def read(config: TrainConfig) -> Material:
    """Read and clean the files of a run, and find in them the speakers and groups that its settings name.

    Raises DataError when a file cannot be read, or a speaker or a group is not there; StyleError when the style lacks a persona.
    """
    tally = Tally()
    return choose(config, list(clean(read_conversations(config.data, config.read, tally), config.clean, tally)), tally)


def choose(config: TrainConfig, conversations: list[Conversation], tally: Tally) -> Material:
    """Find the speakers and groups that the settings name in conversations that are read; raises what `read` does."""
    if not conversations:
        raise tally.nothing_in(config.data)
    speakers = count_speakers(conversations)
    # Who asks for a character knows it by its own name.
    wanted, without = (name_now(name, config.clean.pseudonyms) for name in (config.persona, config.held_out_speaker))
    persona = find_speaker(wanted, speakers) if wanted is not None else None
    apart = None
    if without is not None:
        apart = hold_out_speaker(conversations, without)
    elif config.held_out_group is not None:
        apart = hold_out_groups(conversations, config.held_out_group)
    if config.style == "chat":
        find_assistant(persona, speakers, by_view=_by_view(config, conversations))
    return Material(conversations, tally, speakers, persona, apart)


def _by_view(config: TrainConfig, conversations: list[Conversation]) -> bool:
    """True where all there is to render are views of one player each."""
    return config.view != "moderator" and all(each.game is not None for each in conversations)


def prepare(
    config: TrainConfig,
    tokenizer: PreTrainedTokenizerBase,
    max_tokens: int,
    packs: bool = True,
    style: str | None = None,
) -> Dataset:
    """Read, split, render and pack the data of a run; raises what `read` and `make_rows` do."""
    return make_rows(read(config), config, tokenizer, max_tokens, packs, style)


def make_rows(
    material: Material,
    config: TrainConfig,
    tokenizer: PreTrainedTokenizerBase,
    max_tokens: int,
    packs: bool = True,
    style: str | None = None,
) -> Dataset:
    """Split, render and pack what was read; `style` is what the base model was trained with, if known.

    Raises DataError when nothing is left to learn, StyleError or ModelError when the style and the model do not go together.
    """
    conversations, tally, speakers, persona = (
        material.conversations,
        material.tally,
        material.speakers,
        material.persona,
    )
    notices = material.notices()
    name, reason = (
        (config.style, "as asked")
        if config.style != "auto"
        else (style, "as the base model was trained")
        if style
        else choose_style(tokenizer, speakers)
    )
    assert name is not None
    by_view = _by_view(config, conversations)
    user = (partner_of(persona or speakers.most_common(1)[0][0], conversations)) or "user"
    try:
        renderer = make_renderer(tokenizer, name, persona, user, speakers, by_view=by_view)
    except StyleError as error:
        if config.style != "auto":
            raise
        name, reason = "named", str(error).partition(". ")[0].removeprefix("style chat: ")
        renderer = make_renderer(tokenizer, name, persona, user, speakers, by_view=by_view)
    persona = renderer.persona

    def learnt_turns(conversation: Conversation) -> int:
        if conversation.game is not None:
            learners = learners_of(conversation.game, config.view, persona)
            return sum(turn.speaker in learners for turn in conversation.turns)
        scene = Scene.of(conversation)
        return sum(renderer.learns(turn.speaker, scene) for turn in conversation.turns)

    notice: str | None = None
    if material.apart is not None:
        training, held_out = material.apart
    elif config.split == "time":
        training, held_out, notice = split_in_time(conversations, config.validation_share, learnt_turns)
    else:
        training, held_out, notice = split(conversations, config.validation_share, config.seed, learnt_turns)
    notices += [notice] if notice else []
    parts: list[Parts] = [
        [(each, view(each, config.view, persona) if each.game else [Scene.of(each)]) for each in side]
        for side in (training, held_out)
    ]
    rendered = [
        _render(parts[0], renderer, max_tokens, CONTEXT_SHARE),
        _render(parts[1], renderer, max_tokens, HELD_OUT_CONTEXT_SHARE),
    ]
    if not any(any(sample.learn) for sample in rendered[0].samples):
        who = (
            f"{persona} speaks"
            if persona
            else "anybody speaks"
            if config.view in ("player", "moderator")
            else f"a {config.view} speaks"
        )
        raise DataError(
            f"nothing to learn: in the part to learn from, no turn that {who} is left. Give more data, or a smaller validation share."
        )
    if config.validation_share and not rendered[1].samples:
        notices.append("too little data to hold a part of it out: there is no validation, and the last epoch is kept")
    rows: list[list[Row]] = [
        pack(each.samples, max_tokens) if packs else [(sample,) for sample in each.samples] for each in rendered
    ]
    dataset = Dataset(
        renderer,
        reason,
        persona,
        user,
        speakers,
        tally,
        len(conversations),
        rendered[0],
        rendered[1],
        rows[0],
        rows[1],
        max_tokens,
        _contexts(parts[1] or parts[0], renderer),
        notices,
        leak(training, held_out),
    )
    counts = dataset.turns()
    if counts["read"] != sum(counts.values()) - counts["read"]:
        account = " + ".join(f"{count} {what}" for what, count in counts.items() if what != "read")
        raise DataError(
            f"{', '.join(config.data)}: {counts['read']} turns read are not {account}. Please report this bug; nothing was trained."
        )
    return dataset


def _render(parts: Parts, renderer: Renderer, max_tokens: int, context_share: int) -> Rendered:
    total = Rendered()
    for conversation, scenes in parts:
        total.add(renderer.render(scenes, max_tokens, max_tokens // context_share, len(conversation.turns)))
    return total


def _contexts(parts: Parts, renderer: Renderer, count: int = 2) -> list[tuple[Scene, Turn]]:
    """Scenes spread over the conversations, each with the turn that was said next."""
    found = [
        (scene, at)
        for _, scenes in parts
        for scene in scenes
        for at, turn in enumerate(scene.turns)
        if at and renderer.learns(turn.speaker, scene) and scene.turns[at - 1].speaker != turn.speaker
    ]
    chosen = [found[(2 * number + 1) * len(found) // (2 * count)] for number in range(min(count, len(found)))]
    return [(scene.before(at, most=6), scene.turns[at]) for scene, at in chosen]
