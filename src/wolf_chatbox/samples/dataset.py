"""From files to rows: read, choose, split, render. Every turn is accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from wolf_chatbox.config import TrainConfig
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.data.cleaning import clean
from wolf_chatbox.data.near_duplicates import leak
from wolf_chatbox.data.privacy.pseudonyms import name_now
from wolf_chatbox.data.split import (
    Split,
    count_speakers,
    find_speaker,
    hold_out_groups,
    hold_out_speaker,
    partner_of,
    split,
    split_in_time,
)
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import ConfigError, DataError, Setting, StyleError
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.samples.briefing import Introduced, introduce
from wolf_chatbox.samples.canaries import Canary, make_canaries, with_canaries
from wolf_chatbox.samples.learnt import Learnt
from wolf_chatbox.samples.packing import Row, pack
from wolf_chatbox.samples.rendering import Rendered, Renderer, make_renderer
from wolf_chatbox.samples.rows import Dataset
from wolf_chatbox.samples.styles import SYSTEM, choose_style, find_assistant
from wolf_chatbox.scene import Scene
from wolf_chatbox.werewolf.views import learners_of, view

if TYPE_CHECKING:
    from wolf_chatbox.samples.tokenizer import Tokenizer

CONTEXT_SHARE = 8
HELD_OUT_CONTEXT_SHARE = 4
"""A sample that continues a conversation begins with up to 1/8 of a row of earlier turns; 1/4 in the held-out split.

More context in training costs time and teaches little (docs/benchmarks.md); a measurement has more, as a chat does.
"""


Parts = list[tuple[Conversation, list[Scene]]]
"""Conversations, each with the scenes that are rendered of it: a game's views, or the whole conversation."""


@dataclass(frozen=True)
class Material:
    """What is read for a run, before any model is looked for."""

    conversations: list[Conversation]
    tally: Tally
    speakers: Counter[str]
    persona: str | None
    by_view: bool
    """Whether all that is rendered are views of one player each."""
    apart: Split | None
    """The split, where the settings name what is held out."""
    introduced: Introduced
    """What the characters' cards say; the conversations are the same."""

    def notices(self) -> list[str]:
        notices = [*self.tally.notices(), *self.introduced.notices()]
        if len(self.speakers) == 1:
            [alone] = self.speakers
            notices.append(f"only {alone} speaks: the model learns a monologue, not replies. Add other speakers")
        return notices


@dataclass(frozen=True)
class Rendering:
    """How turns become tokens, and why so."""

    renderer: Renderer
    reason: str
    user: str


def prepare(
    config: TrainConfig,
    tokenizer: Tokenizer,
    max_tokens: int,
    packs: bool = True,
    style: str | None = None,
) -> Dataset:
    """Read, split, render and pack the data of a run; raises what `read` and `make_rows` raise."""
    return make_rows(read(config), config, tokenizer, max_tokens, packs, style)


def read(config: TrainConfig) -> Material:
    """Read and clean the files of a run, and find in them the speakers and groups that its settings name.

    Raises DataError if a file cannot be read, or a speaker or group is not found; StyleError if a persona is missing.
    """
    tally = Tally()
    return choose(config, list(clean(read_conversations(config.data, config.read, tally), config.clean, tally)), tally)


def choose(config: TrainConfig, conversations: list[Conversation], tally: Tally) -> Material:
    """Find the speakers and groups that the settings name; raises what `read` raises."""
    introduced = introduce(conversations)
    if config.reverse:  # the partner is learnt, who does not know the card
        introduced = Introduced([replace(talk, briefings={}) for talk in introduced.conversations], introduced.count)
    conversations = introduced.conversations
    if not conversations:
        raise tally.nothing_in(config.data)
    speakers = count_speakers(conversations)
    # The settings give people's own names; the conversations may be under pseudonyms.
    wanted, without = (name_now(name, config.clean.pseudonyms) for name in (config.persona, config.held_out_speaker))
    persona = find_speaker(wanted, speakers) if wanted is not None else None
    apart = None
    if without is not None:
        apart = hold_out_speaker(conversations, without)
    elif config.held_out_group is not None:
        apart = hold_out_groups(conversations, config.held_out_group)
    if config.reverse and any(conversation.game is not None for conversation in conversations):
        told = "games of werewolf are not learnt backwards: nobody would know what it knows. Leave out "
        raise DataError(told, Setting("reverse"), ".")
    by_view = config.view != "moderator" and all(conversation.game is not None for conversation in conversations)
    if config.style == "chat":
        find_assistant(persona, speakers, by_view=by_view)
    return Material(conversations, tally, speakers, persona, by_view, apart, introduced)


def make_rows(
    material: Material,
    config: TrainConfig,
    tokenizer: Tokenizer,
    max_tokens: int,
    packs: bool = True,
    style: str | None = None,
) -> Dataset:
    """Split, render and pack what was read; `style` is what the base model was trained with, if known.

    Raises DataError if there is nothing to train on, StyleError or ModelError if the style does not fit the model,
    ConfigError if a setting needs a persona and there is none.
    """
    rendering = _choose_rendering(material, config, tokenizer, style)
    renderer = rendering.renderer
    _check_others(config, renderer.persona)
    sides = _split(material, config, renderer)
    canaries = _canaries(config, material, rendering, sides.training)
    training = scenes_of(with_canaries(sides.training, canaries, config.seed), config.view, renderer)
    held_out = scenes_of(sides.held_out, config.view, renderer)
    if config.reverse:
        training, held_out = (backwards(parts, renderer.persona) for parts in (training, held_out))
    last = config.persona_last
    learnt = _render(training, renderer, max_tokens, CONTEXT_SHARE, 0.0 if last else config.others_weight)
    first = _render(training, renderer, max_tokens, CONTEXT_SHARE, config.others_weight or 1.0) if last else None
    measured = _render(held_out, renderer, max_tokens, HELD_OUT_CONTEXT_SHARE)
    _check_learnt(learnt, config.view, None if config.reverse else renderer.persona)
    notices = material.notices() + ([sides.notice] if sides.notice else [])
    if config.validation_share and not measured.samples:
        notices.append("too little data for a held-out split: no validation; the model of the last epoch is kept")

    def rows(rendered: Rendered) -> list[Row]:
        return pack(rendered.samples, max_tokens) if packs else [(sample,) for sample in rendered.samples]

    dataset = Dataset(
        renderer=renderer,
        known=Learnt.of(sides.training),
        style_reason=rendering.reason,
        persona=renderer.persona,
        user=rendering.user,
        speakers=material.speakers,
        tally=material.tally,
        conversations=len(material.conversations),
        training=first or learnt,
        held_out=measured,
        rows=rows(learnt),
        first_rows=rows(first) if first else [],
        held_out_rows=rows(measured),
        max_tokens=max_tokens,
        contexts=_contexts(held_out or training, renderer),
        notices=notices,
        leak=leak(sides.training, sides.held_out),
        canaries=canaries,
        cards=material.introduced.cards,
    )
    _check_account(dataset, config.data)
    return dataset


def _choose_rendering(
    material: Material, config: TrainConfig, tokenizer: Tokenizer, trained_with: str | None
) -> Rendering:
    """The style that the settings ask for, else the one of the base model, else the one that suits model and data."""
    conversations, speakers, persona = material.conversations, material.speakers, material.persona
    user = (partner_of(persona or speakers.most_common(1)[0][0], conversations)) or "user"
    name: str
    if config.style != "auto":
        name, reason = config.style, "as requested"
    elif trained_with:
        name, reason = trained_with, "as in the base model's training"
    else:
        name, reason = choose_style(tokenizer, speakers)
    try:
        renderer = make_renderer(tokenizer, name, persona, user, speakers, by_view=material.by_view)
    except StyleError as error:
        if config.style != "auto":
            raise
        reason = error.reason
        renderer = make_renderer(tokenizer, "named", persona, user, speakers, by_view=material.by_view)
    return Rendering(renderer, reason, user)


def _split(material: Material, config: TrainConfig, renderer: Renderer) -> Split:
    """What the settings hold out by name, or a share of the learnt turns."""
    persona = renderer.persona

    def learnt_turns(conversation: Conversation) -> int:
        if conversation.game is not None:
            learners = learners_of(conversation.game, config.view, persona)
            return sum(turn.speaker in learners for turn in conversation.turns)
        scene = Scene.of(conversation)
        return sum(renderer.learns(turn.speaker, scene) for turn in conversation.turns)

    if material.apart is not None:
        return material.apart
    cards, share = material.introduced.count, config.validation_share
    drawn = material.conversations[cards:]
    if config.split == "time":
        found = split_in_time(drawn, share, learnt_turns)
    else:
        found = split(drawn, share, config.seed, learnt_turns)
    return found._replace(training=[*material.conversations[:cards], *found.training])


def _canaries(
    config: TrainConfig, material: Material, rendering: Rendering, training: Sequence[Conversation]
) -> list[Canary]:
    speaker = rendering.renderer.persona or material.speakers.most_common(1)[0][0]
    return make_canaries(config.canary, speaker, rendering.user, training, config.seed)


def scenes_of(conversations: Sequence[Conversation], as_whom: str, renderer: Renderer) -> Parts:
    """The scenes of each conversation in which something is learnt: a game's views, or what each hearer heard."""

    def scenes(conversation: Conversation) -> list[Scene]:
        if conversation.game:
            return view(conversation, as_whom, renderer.persona)
        whole = Scene.of(conversation)
        speakers = dict.fromkeys(turn.speaker for turn in conversation.turns)  # in order: a set has none
        return Scene.each(conversation, [name for name in speakers if renderer.learns(name, whole)])

    return [(conversation, scenes(conversation)) for conversation in conversations]


def _check_others(config: TrainConfig, persona: str | None) -> None:
    """Raise ConfigError if the settings tell the persona from the others, and there is none."""
    for name, value in (("others_weight", config.others_weight), ("persona_last", config.persona_last)):
        if value and persona is None:
            raise ConfigError(name, value, "needs a persona: without one every speaker is learnt. Name a persona.")
        if value and config.reverse:
            raise ConfigError(name, value, "is not for a reverse model, which learns the others alone. Leave it out.")


def backwards(parts: Parts, persona: str | None) -> Parts:
    """Conversations whose turns stand in reverse order: what was said is learnt after its reply.

    With a persona everybody's turns are learnt but its own: they are what it replies to.
    """

    def back(scene: Scene) -> Scene:
        learners = scene.learners if persona is None else frozenset(scene.speakers() - {persona, SYSTEM})
        return replace(scene, turns=scene.turns[::-1], places=scene.places[::-1], learners=learners)

    return [(conversation, [back(scene) for scene in scenes]) for conversation, scenes in parts]


def _check_learnt(rendered: Rendered, as_whom: str, persona: str | None) -> None:
    """Raise DataError if no token of the training split is learnt."""
    if not any(any(sample.learn) for sample in rendered.samples):
        _, _, role = as_whom.partition(":")
        whose = (
            f"turns by {persona}" if persona else f"turns by players with the role {role}" if role else "turns to learn"
        )
        missing = f"nothing to train on: the training split has no {whose}. Add data, or lower "
        raise DataError(missing, Setting("validation_share"), ".")


def _check_account(dataset: Dataset, files: Sequence[str]) -> None:
    """Raise DataError if turns read, and added, are not those learnt, held out, used as context, joined and dropped."""
    counts = dataset.turns()
    read = counts.pop("read") + counts.pop("canaries", 0)
    if read != sum(counts.values()):
        account = " + ".join(f"{count} {what}" for what, count in counts.items())
        bug = f"{read} turns read are not {account}. Please report this bug; nothing was trained."
        raise DataError(f"{', '.join(files)}: {bug}")


def _render(parts: Parts, renderer: Renderer, max_tokens: int, context_share: int, others: float = 0.0) -> Rendered:
    total = Rendered()
    for conversation, scenes in parts:
        total.add(renderer.render(scenes, max_tokens, max_tokens // context_share, len(conversation.turns), others))
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
