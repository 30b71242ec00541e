"""What a person can set: one dataclass a verb, which is the Python API, the flags, the YAML file and the help text.

Checked when made: a value out of its range raises ConfigError. Nothing here imports torch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from cyclopts import Group, Parameter, Token

from wolf_chatbox.errors import ConfigError
from wolf_chatbox.game import SIDES

StyleName = Literal["auto", "dialogpt", "named", "chat"]
FORMAT_FILES = {path.stem: path.parent.name for path in sorted(Path(__file__).parent.glob("importers/*/[!_]*.py"))}
"""The folder of each format, by its name, which is its file's: listed, not imported, so that help stays fast."""
if TYPE_CHECKING:
    FormatName = str
else:
    FormatName = Literal["auto", *FORMAT_FILES]
Form = Literal["conversations", "openai", "sharegpt", "raw"]
SplitName = Literal["group", "time"]
Duplicates = Literal["keep", "exact", "near"]
Unsaid = Literal["media", "system", "deleted", "slips"]
Search = Literal["grid", "random", "tpe"]
Precision = Literal["auto", "fp32", "bf16", "fp16"]
Optimizer = Literal["adamw", "adafactor", "adamw8bit"]
Tracker = Literal["tensorboard", "wandb", "mlflow", "trackio"]
Schedule = Literal[
    "linear",
    "cosine",
    "cosine_with_restarts",
    "polynomial",
    "constant",
    "constant_with_warmup",
    "inverse_sqrt",
    "reduce_lr_on_plateau",
    "cosine_with_min_lr",
    "cosine_warmup_with_min_lr",
    "warmup_stable_decay",
    "greedy",
]


DATA, MODEL, LEARNING, MEMORY, SAVING, REPLIES = (
    Parameter(group=Group(name, sort_key=at))
    for at, name in enumerate(("Data", "Model", "Learning", "Memory and speed", "Saving and telling", "Replies"))
)
"""What the settings are for: the parts of `train --help`."""


def _whole(type_: object, tokens: Sequence[Token]) -> int:
    try:
        return int(tokens[0].value)
    except ValueError:
        raise ValueError(f"{tokens[0].value} is no whole number.") from None


Whole = Annotated[int, Parameter(converter=_whole)]
"""A whole number; cyclopts itself would take 2.5 for 2."""


def typed(value: Any) -> str | None:
    """A setting's value as a person would type it: 1e-4 for 0.0001; None where nothing is typed."""
    if value is None or value is False or value == ():
        return None
    if isinstance(value, tuple | list):
        return " ".join(map(str, value))
    if not isinstance(value, float):
        return str(value)
    if value and not 1e-3 <= abs(value) < 1e6:
        digits, _, exponent = f"{value:.6e}".partition("e")
        return f"{float(digits):g}e{int(exponent)}"
    return f"{value:g}"


def _check_numbers(config: Any, *names: str) -> None:
    """Raise ConfigError where a setting is no number of its kind: a file or a program may give anything."""
    kinds = {each.name: str(each.type) for each in fields(config)}
    for name in names:
        value = getattr(config, name)
        whole = "Whole" in kinds[name]  # also within Annotated
        if not isinstance(value, Integral if whole else Real) or isinstance(value, bool):
            raise ConfigError(name, value, f"must be a {'whole ' if whole else ''}number.")


def _check_at_least(config: object, least: float, *names: str) -> None:
    _check_numbers(config, *names)
    for name in names:
        value: Any = getattr(config, name)
        if not (value >= least and math.isfinite(value)):
            raise ConfigError(name, value, f"must be {least} or more.")


def _check_choice(config: object, name: str, choices: tuple[str, ...]) -> None:
    value = getattr(config, name)
    if value not in choices:
        raise ConfigError(name, value, f"must be one of {', '.join(choices)}.")


def _check_words(config: object, name: str) -> None:
    """Make a tuple of a setting that is a list of words; a file or a program may give one word as it is."""
    value = getattr(config, name)
    words = (value,) if isinstance(value, str) else value
    if not isinstance(words, list | tuple) or not all(isinstance(word, str) for word in words):
        raise ConfigError(name, value, "must be a list of words.")
    object.__setattr__(config, name, tuple(words))


def _check_view(config: TrainConfig) -> None:
    kind, _, role = config.view.partition(":")
    if config.view not in ("player", "moderator") and not (kind == "player" and role.upper() in SIDES):
        raise ConfigError(
            "view", config.view, f"must be player, moderator, or player:ROLE with a role of {', '.join(SIDES)}."
        )


@Parameter(name="*", group=REPLIES.group)
@dataclass(frozen=True, kw_only=True)
class SamplingConfig:
    """How a reply is drawn from the model."""

    max_new_tokens: Whole = 128
    """Tokens of one generated reply at most."""
    no_repeat_phrase: Whole = 4
    """No phrase of this many words twice in a reply, and no piece of text more than four times in a row; 0 is off."""
    no_repeat_ngram_size: Whole = 0
    """No n-gram of this many tokens twice in a reply, even within words; 0 is off."""
    top_k: Whole = 50
    """Draw from this many likeliest tokens; 0 is off."""
    top_p: float = 0.95
    """Draw from the likeliest tokens that hold this share of the probability; 1 is off."""
    temperature: float = 0.7
    """Below 1 is safer, above 1 wilder; 0 always takes the likeliest token."""

    def __post_init__(self) -> None:
        _check_at_least(self, 1, "max_new_tokens")
        _check_at_least(self, 0, "no_repeat_phrase", "no_repeat_ngram_size", "top_k")
        _check_at_least(self, 0, "temperature")
        _check_numbers(self, "top_p")
        if not 0 < self.top_p <= 1:
            raise ConfigError("top_p", self.top_p, "must be above 0 and at most 1.")
        if self.temperature and not 1e-3 <= self.temperature <= 1e3:  # beyond, fp32 has no numbers for the scores
            raise ConfigError("temperature", self.temperature, "must be 0, or from 0.001 to 1000.")

    def changed(self, **settings: float | None) -> SamplingConfig:
        """A copy with these settings; None leaves a setting as it is."""
        known = {each.name: getattr(self, each.name) for each in fields(self)}
        return SamplingConfig(**{**known, **{name: value for name, value in settings.items() if value is not None}})


@Parameter(name="*", group=DATA.group)
@dataclass(frozen=True, kw_only=True)
class ReadConfig:
    """How files of conversations are read."""

    format: FormatName = "auto"
    """The files' format; auto recognises it from the content."""
    encoding: str = "auto"
    """The files' character encoding, such as cp932; auto knows UTF-8, UTF-16 with a mark, and CP1252."""
    speaker_column: str | None = None
    """A script's column of speaker names, when it is not recognised."""
    text_column: str | None = None
    """A script's column of lines, when it is not recognised."""
    group_column: str | None = None
    """A Parquet or hub table's column that tells which rows belong to one conversation, when it is not recognised."""
    cut_at_jump: Whole = 5
    """Where a script's line index jumps by more than this, a new conversation starts."""
    session_gap: float = 8
    """Where a chat is silent for more hours than this, a new conversation starts; 0 never cuts."""
    also_keep: tuple[Unsaid, ...] = ()
    """Messages to keep that nobody said: media (as a placeholder), system (joins and the like), deleted, slips (refusals, leaked prompts)."""
    strict: bool = False
    """Stop at the first file that cannot be read whole; without it, all is read of a folder or an archive that can be."""

    def __post_init__(self) -> None:
        _check_choice(self, "format", get_args(FormatName))
        _check_at_least(self, 1, "cut_at_jump")
        _check_at_least(self, 0, "session_gap")
        _check_words(self, "also_keep")
        for kind in self.also_keep:
            if kind not in get_args(Unsaid):
                raise ConfigError("also_keep", kind, f"must be of {', '.join(get_args(Unsaid))}.")
        try:
            "".encode("utf-8" if self.encoding == "auto" else self.encoding)
        except (LookupError, ValueError) as error:
            raise ConfigError(
                "encoding", self.encoding, "is no encoding that Python knows; try utf-8 or cp932."
            ) from error


@Parameter(name="*", group=DATA.group)
@dataclass(frozen=True, kw_only=True)
class CleanConfig:
    """What is done to conversations after they are read, and before anything is learnt from them."""

    join_within: float = 180
    """Messages of one speaker that follow each other within this many seconds become one turn; 0 joins none."""
    duplicates: Duplicates = "keep"
    """Conversations that are there twice: keep them, or drop exact copies, or near ones too (by MinHash)."""
    repair: bool = False
    """Repair broken characters (cafÃ© for café) with ftfy, and in games English lines that lost their spaces with symspellpy."""
    languages: tuple[str, ...] = ()
    """Keep conversations in these languages only (ISO 639-1 codes such as en, ja), as py3langid tells them."""
    scrub: bool = False
    """Replace e-mail and web addresses, handles, phone, card, IBAN, IP and national numbers and coordinates by marks such as [email]."""
    scrub_names: bool = False
    """Replace the names of people who do not speak by [name], as Presidio guesses them (needs wolf-chatbox[names] and a spaCy model)."""
    pseudonyms: Path | None = None
    """Give the speakers invented names, also where a text mentions them; who is who is kept in this file, for the next time."""

    def __post_init__(self) -> None:
        _check_choice(self, "duplicates", get_args(Duplicates))
        _check_at_least(self, 0, "join_within")
        _check_words(self, "languages")
        if self.pseudonyms is not None:  # from Python and from a sweep's file it may be a string
            object.__setattr__(self, "pseudonyms", Path(self.pseudonyms))

    @property
    def protects(self) -> bool:
        """Whether people are to be protected: then nothing that is published names a file, for a chat's is named after somebody."""
        return self.scrub or self.scrub_names or self.pseudonyms is not None


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Fine-tune a base model on conversations."""

    data: Annotated[tuple[str, ...], DATA]
    """Files of conversations; `example` is the bundled script."""
    model: Annotated[str, MODEL] = "microsoft/DialoGPT-small"
    """Base model: a hub name, a folder, or an alias (see `wolf-chatbox models list`)."""
    output: Annotated[Path, SAVING] = Path("wolf_model")
    """Folder that the trained model is written to."""
    persona: Annotated[str | None, DATA] = None
    """Learn this speaker's turns only; the others' are context."""
    view: Annotated[str, DATA] = "player"
    """Games of werewolf as whom to learn: player (each as it lived the game), player:ROLE (such as player:SEER), moderator (everything)."""
    style: Annotated[StyleName, MODEL] = "auto"
    """How turns become text: dialogpt (turns and end tokens), named (with names), chat (the model's own template)."""
    epochs: Annotated[Whole, LEARNING] = 1
    """Passes over the data."""
    batch_size: Annotated[Whole, LEARNING] = 1
    """Rows of max-tokens tokens that a process takes at once."""
    accumulate: Annotated[Whole, LEARNING] = 1
    """Such batches to one update; an update learns from accumulate × batch-size rows of each process."""
    max_tokens: Annotated[Whole, LEARNING] = 512
    """Tokens in one row at most; bounded by the model's context."""
    lr: Annotated[float, LEARNING] = 1e-4
    """The highest learning rate of the schedule."""
    schedule: Annotated[Schedule, LEARNING] = "linear"
    """How the learning rate changes: any schedule of transformers' get_scheduler."""
    warmup_ratio: Annotated[float, LEARNING] = 0.1
    """Share of all updates in which the learning rate rises."""
    validation_share: Annotated[float, DATA] = 0.1
    """Share of the data held out for validation; 0 holds nothing out."""
    split: Annotated[SplitName, DATA] = "group"
    """What is held out: whole groups (episodes, chats, games), drawn by the seed, or the last part in time."""
    held_out_speaker: Annotated[str | None, DATA] = None
    """Hold out every conversation in which this character speaks, instead of a share."""
    held_out_group: Annotated[str | None, DATA] = None
    """Hold out the groups (episodes, chats, games) with such a name, instead of a share: `finals/*` holds out all that begin with finals/."""
    optimizer: Annotated[Optimizer, MEMORY] = "adamw"
    """adamw, adafactor (half the memory of its state), or adamw8bit (CUDA, a quarter; needs bitsandbytes)."""
    weight_decay: Annotated[float, LEARNING] = 0.01
    """Decay of the weight matrices; biases and norms do not decay."""
    max_grad_norm: Annotated[float, LEARNING] = 1.0
    """Gradients are scaled down to this norm; 0 leaves them as they are."""
    dropout: Annotated[float, LEARNING] = 0.0
    """Dropout in the layers that have one (GPT-2's have); with few passes over the data it costs more than it gives."""
    precision: Annotated[Precision, MEMORY] = "auto"
    """What is computed in; auto is bf16 where the hardware computes in it, else fp32. The weights are kept in fp32."""
    lora_rank: Annotated[Whole, MEMORY] = 0
    """Learn low-rank additions of this rank to the weights, and save those only; 0 learns all weights."""
    freeze_embeddings: Annotated[bool, MEMORY] = False
    """Leave the embeddings (and an output layer that shares them) as they are."""
    gradient_checkpointing: Annotated[bool, MEMORY] = False
    """Compute each layer twice instead of keeping its insides: less memory, a quarter more time."""
    compile: Annotated[bool, MEMORY] = False
    """Compile the model before the first update (torch.compile): minutes first, faster updates on some hardware."""
    log_every: Annotated[Whole, SAVING] = 10
    """Updates between two printed losses."""
    eval_every: Annotated[Whole, LEARNING] = 0
    """Updates between two measurements of the held-out loss; 0 measures at the end of each epoch."""
    patience: Annotated[Whole, LEARNING] = 0
    """Stop after this many measurements in a row that are no better than the best; 0 never does."""
    save_every: Annotated[Whole, SAVING] = 0
    """Updates between two saved states that --resume can continue; 0 saves at the end of each epoch and every ten minutes."""
    keep: Annotated[Whole, SAVING] = 2
    """Saved states that are kept; where the newest is damaged, --resume takes the one before."""
    report_to: Annotated[Tracker | None, SAVING] = None
    """Send the figures to a tracker as well; metrics.jsonl always has them."""
    dry_run: Annotated[bool, SAVING] = False
    """Tell what would be done, with the estimated time and memory, and train nothing."""
    seed: Annotated[Whole, LEARNING] = 0
    """Seed of the split, the order of the rows, dropout and sampling."""
    resume: Annotated[bool, SAVING] = False
    """Continue the interrupted run in the output folder."""
    overwrite: Annotated[bool, SAVING] = False
    """Replace the model or the interrupted run that is in the output folder."""
    trust_remote_code: Annotated[bool, MODEL] = False
    """Run the Python code that some base models bring along."""
    allow_base: Annotated[bool, MODEL] = False
    """Fetch the base model that an adapter (a LoRA folder) names from the hub, where it is not on this machine."""
    read: ReadConfig = field(default_factory=ReadConfig)
    clean: CleanConfig = field(default_factory=CleanConfig)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)

    def __post_init__(self) -> None:
        # From Python one file may be given as it is, and the output as a string.
        object.__setattr__(self, "data", (self.data,) if isinstance(self.data, str) else tuple(map(str, self.data)))
        object.__setattr__(self, "output", Path(self.output))
        if not self.data:
            raise ConfigError("data", "(none)", "names no file.")
        _check_choice(self, "split", get_args(SplitName))
        _check_view(self)
        _check_choice(self, "style", get_args(StyleName))
        _check_choice(self, "schedule", get_args(Schedule))
        _check_choice(self, "optimizer", get_args(Optimizer))
        _check_choice(self, "precision", get_args(Precision))
        if self.report_to is not None:
            _check_choice(self, "report_to", get_args(Tracker))
        if self.seed >= 2**63:
            raise ConfigError("seed", self.seed, "must be below 2**63.")
        _check_at_least(self, 1, "epochs", "batch_size", "accumulate", "log_every", "keep")
        _check_at_least(self, 0, "save_every", "eval_every", "patience", "lora_rank", "seed")
        _check_at_least(self, 16, "max_tokens")
        _check_at_least(self, 0, "weight_decay", "max_grad_norm")
        _check_numbers(self, "lr", "dropout", "warmup_ratio", "validation_share")
        if not (self.lr > 0 and math.isfinite(self.lr)):
            raise ConfigError("lr", self.lr, "must be above 0.")
        if not 0 <= self.dropout < 1:
            raise ConfigError("dropout", self.dropout, "must be 0 or more and below 1.")
        if not 0 <= self.warmup_ratio <= 1:
            raise ConfigError("warmup_ratio", self.warmup_ratio, "must be from 0 to 1.")
        if not 0 <= self.validation_share < 1:
            raise ConfigError(
                "validation_share",
                self.validation_share,
                "must be 0 or more and below 1: some data must be left to learn from.",
            )
        if self.schedule == "reduce_lr_on_plateau" and self.validation_share == 0:
            raise ConfigError(
                "schedule", self.schedule, "needs a validation share above 0: it watches the held-out loss."
            )
        if self.patience and self.validation_share == 0:
            raise ConfigError(
                "patience", self.patience, "needs a validation share above 0: it watches the held-out loss."
            )
        if self.lora_rank and self.freeze_embeddings:
            raise ConfigError(
                "freeze_embeddings", True, "goes without lora-rank, which leaves the embeddings as they are anyway."
            )
        if self.held_out_speaker is not None and self.held_out_group is not None:
            raise ConfigError("held_out_group", self.held_out_group, "cannot go together with held-out-speaker.")
        if self.resume and self.overwrite:
            raise ConfigError("resume", True, "cannot go together with overwrite.")


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class ChatConfig:
    """Talk with a trained model."""

    model: str = "wolf_model"
    """A trained model's folder, or any base model."""
    persona: str | None = None
    """Who answers; the trained persona, else the speaker with the most turns."""
    user: str | None = None
    """Whose name you speak under; the one who most often talks to the persona."""
    turns: Whole = 0
    """End the chat after this many turns; 0 is no limit."""
    seed: Whole | None = None
    """Seed of the sampling, for the same replies again."""
    trust_remote_code: bool = False
    """Run the Python code that some models bring along."""
    allow_base: bool = False
    """Fetch the base model that an adapter (a LoRA folder) names from the hub, where it is not on this machine."""
    max_new_tokens: Whole | None = None
    """Tokens of one generated reply at most. [default: the model's own]"""
    no_repeat_phrase: Whole | None = None
    """No phrase of this many words twice in a reply; 0 is off. [default: the model's own]"""
    no_repeat_ngram_size: Whole | None = None
    """No n-gram of this many tokens twice in a reply; 0 is off. [default: the model's own]"""
    top_k: Whole | None = None
    """Draw from this many likeliest tokens; 0 is off. [default: the model's own]"""
    top_p: float | None = None
    """Draw from the likeliest tokens that hold this share of the probability. [default: the model's own]"""
    temperature: float | None = None
    """Below 1 is safer, above 1 wilder; 0 is greedy. [default: the model's own]"""

    def __post_init__(self) -> None:
        _check_at_least(self, 0, "turns")
        self.sampling(SamplingConfig())

    def sampling(self, saved: SamplingConfig) -> SamplingConfig:
        """The model's saved settings with those of this config over them."""
        return saved.changed(**{each.name: getattr(self, each.name) for each in fields(SamplingConfig)})
