"""The settings: one dataclass a verb, which is the Python API, the flags, the YAML file, the help and the reference.

A field's docstring is its help text. Values are checked when a config is made: ConfigError for one that is not allowed.
Nothing here imports torch.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from cyclopts import Parameter

from wolf_chatbox.errors import ConfigError
from wolf_chatbox.format_names import FormatName
from wolf_chatbox.game import SIDES
from wolf_chatbox.settings import (
    AT_LEAST_0,
    AT_LEAST_1,
    DATA,
    ENGINE,
    JUDGING,
    LEARNING,
    LIMITS,
    MEASURING,
    MEMORY,
    MODEL,
    REPLIES,
    SAVING,
    SERVER,
    Whole,
    Within,
    check,
    optional,
    unset,
)

StyleName = Literal["auto", "dialogpt", "named", "chat"]
Form = Literal["conversations", "openai", "sharegpt", "raw"]
SplitName = Literal["group", "time"]
Duplicates = Literal["keep", "exact", "near"]
Branches = Literal["best", "all"]
Unsaid = Literal["media", "system", "deleted", "slips"]
Search = Literal["grid", "random", "tpe"]
Precision = Literal["auto", "fp32", "bf16", "fp16"]
Optimizer = Literal["adamw", "adafactor", "adamw8bit"]
EngineName = Literal["auto", "torch", "llama.cpp", "openvino"]
Quantisation = Literal["q8_0", "q4_k", "f16"]
Artefact = Literal["gguf", "onnx", "card"]
NextSpeaker = Literal["name", "turn", "model"]
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


TrustRemoteCode = Annotated[bool, Parameter(help="Run the Python code that comes with some models.")]
AllowBase = Annotated[
    bool, Parameter(help="Download the base model that an adapter (LoRA folder) names, if it is not on this machine.")
]


@Parameter(name="*", group=REPLIES.group)
@dataclass(frozen=True, kw_only=True)
class SamplingConfig:
    """How a reply is drawn from the model."""

    max_new_tokens: Annotated[Whole, AT_LEAST_1] = 128
    """Maximum number of tokens in a reply."""
    no_repeat_phrase: Annotated[Whole, AT_LEAST_0] = 4
    """Never repeat a phrase of this many words within a reply, or any text more than four times in a row; 0 = off."""
    no_repeat_ngram_size: Annotated[Whole, AT_LEAST_0] = 0
    """Never repeat an n-gram of this many tokens within a reply, even inside words; 0 = off."""
    top_k: Annotated[Whole, AT_LEAST_0] = 50
    """Top-k sampling: draw from the k most likely tokens; 0 = off."""
    top_p: Annotated[float, Within(above=0, most=1)] = 0.95
    """Top-p (nucleus) sampling: draw from the most likely tokens whose probabilities sum to p; 1 = off."""
    min_p: Annotated[float, Within(least=0, most=1)] = 0.0
    """Min-p sampling: leave out tokens less likely than this share of the likeliest one; 0 = off."""
    repetition_penalty: Annotated[float, Within(above=0)] = 1.0
    """Divide the score of every token that the reply holds already by this; 1 = off. It also hits names."""
    temperature: Annotated[float, AT_LEAST_0] = 0.9
    """Sampling temperature: lower is more predictable, higher more varied; 0 = greedy (the most likely token)."""
    best_of: Annotated[Whole, Within(least=1, most=64)] = 1
    """Draw this many candidates for each reply, and keep the most likely one that does not repeat itself."""
    dry_multiplier: Annotated[float, AT_LEAST_0] = 0.0
    """DRY: strength of the penalty on going on with a copy of what the reply said before; 0 = off."""
    dry_base: Annotated[float, AT_LEAST_1] = 1.75
    """DRY: how much the penalty grows with each token of the copy."""
    dry_allowed_length: Annotated[Whole, AT_LEAST_1] = 2
    """DRY: tokens of a copy from which on it is penalised."""

    def __post_init__(self) -> None:
        check(self)
        if self.temperature and not 1e-3 <= self.temperature <= 1e3:  # beyond, the scores overflow in fp32
            raise ConfigError("temperature", self.temperature, "must be 0, or from 0.001 to 1000.")

    def changed(self, **settings: float | None) -> SamplingConfig:
        """A copy with these settings; None leaves a setting as it is."""
        given: dict[str, Any] = {name: value for name, value in settings.items() if value is not None}
        return replace(self, **given)


@Parameter(name="*", group=DATA.group)
@dataclass(frozen=True, kw_only=True)
class ReadConfig:
    """How files of conversations are read."""

    format: FormatName = "auto"
    """Format of the files; auto detects it from the content. `wolf-chatbox data formats` lists the others."""
    encoding: str = "auto"
    """Character encoding of the files, such as cp932; auto detects UTF-8, UTF-16/32 with a byte-order mark, CP1252."""
    speaker_column: str | None = None
    """Column with the speakers' names in a script table, if it is not detected."""
    text_column: str | None = None
    """Column with the spoken text in a script table, if it is not detected."""
    group_column: str | None = None
    """Column of a Parquet or hub table that shows which rows form one conversation, if it is not detected."""
    cut_at_jump: Annotated[Whole, AT_LEAST_1] = 5
    """Start a new conversation where the line index of a script jumps by more than this."""
    session_gap: Annotated[float, AT_LEAST_0] = 8
    """Start a new conversation after this many hours of silence in a chat; 0 = never."""
    branches: Branches = "best"
    """Of a tree of replies (OASST, ChatGPT, …): follow the best or shown branch, or read all, from root to leaf."""
    also_keep: tuple[Unsaid, ...] = ()
    """Keep what nobody said: media (a placeholder), system (joins …), deleted, slips (refusals, leaked prompts)."""
    strict: bool = False
    """Stop at the first file that cannot be read completely, instead of skipping and reporting unreadable parts."""

    def __post_init__(self) -> None:
        check(self)
        try:
            "".encode("utf-8" if self.encoding == "auto" else self.encoding)
        except (LookupError, ValueError) as error:
            raise ConfigError(
                "encoding", self.encoding, "is not an encoding that Python knows; try utf-8 or cp932."
            ) from error


@Parameter(name="*", group=DATA.group)
@dataclass(frozen=True, kw_only=True)
class CleanConfig:
    """How conversations are cleaned after reading and before training."""

    join_within: Annotated[float, AT_LEAST_0] = 180
    """Join consecutive messages of one speaker sent within this many seconds into one turn; 0 = never."""
    duplicates: Duplicates = "keep"
    """Repeated conversations: keep them, or drop exact copies, or near-duplicates too (found by MinHash)."""
    repair: bool = False
    """Repair broken characters (cafÃ© for café) with ftfy, and English game lines without spaces with symspellpy."""
    languages: tuple[str, ...] = ()
    """Keep only conversations in these languages (ISO 639-1 codes such as en, ja), detected by py3langid."""
    scrub: bool = False
    """Replace e-mail, web and IP addresses, handles, coordinates, and phone, card, IBAN and national numbers by marks
    such as [email]."""
    scrub_names: bool = False
    """Replace names of other people by [name], detected by Presidio (needs wolf-chatbox[names] and a spaCy model)."""
    pseudonyms: Path | None = None
    """Replace the speakers' names by pseudonyms, in texts too; this file stores who is who, for later runs as well."""

    def __post_init__(self) -> None:
        check(self)

    @property
    def protects(self) -> bool:
        """Whether personal data is replaced; then nothing published names a file, as a chat's file names a person."""
        return self.scrub or self.scrub_names or self.pseudonyms is not None


ONLY_CONVERSATIONS = (
    *("data", "persona", "view", "style", "split", "held_out_speaker", "held_out_group"),
    *("others_weight", "persona_last", "label_smoothing", "neftune", "reverse", "canary"),
)
"""Settings that mean nothing where choices are learnt: the run that goes on has its persona and its style."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Fine-tune a base model on conversations."""

    data: Annotated[tuple[str, ...], DATA, unset("required without preferences")] = ()
    """Files, folders or archives of conversations; `example` and `example-ja` are bundled scripts."""
    preferences: Annotated[tuple[str, ...], DATA] = ()
    """Learn from choices between replies instead (DPO): files of `data preferences`, or of votes; `model` is the run
    that goes on."""
    model: Annotated[str, MODEL] = "microsoft/DialoGPT-small"
    """Base model: a hub name, a folder, or an alias (see `wolf-chatbox models list`)."""
    output: Annotated[Path, SAVING] = Path("wolf_model")
    """Output folder for the trained model."""
    persona: Annotated[str | None, DATA, unset("every speaker")] = None
    """Learn only this speaker's turns; all other turns are context."""
    others_weight: Annotated[float, DATA, Within(least=0, most=1)] = 0.0
    """With a persona, also learn the others' turns, at this weight; 0 = they are context, 1 = like the persona's."""
    persona_last: Annotated[bool, DATA] = False
    """With a persona, learn everybody's turns in all epochs but the last, and the persona's alone in the last one."""
    view: Annotated[str, DATA] = "player"
    """View of a werewolf game to learn: player (each player's), player:ROLE (such as player:SEER), moderator (all)."""
    reverse: Annotated[bool, DATA] = False
    """Learn conversations backwards: what a reply answers. Such a model ranks replies of another, it does not chat."""
    style: Annotated[StyleName, MODEL] = "auto"
    """How turns become text: dialogpt (turns, end tokens), named (with names), chat (the model's chat template)."""
    epochs: Annotated[Whole | None, LEARNING, AT_LEAST_1, unset("chosen by the number of learnt tokens")] = None
    """Number of epochs (passes over the training split)."""
    batch_size: Annotated[Whole, LEARNING, AT_LEAST_1] = 1
    """Rows per forward pass, on each process."""
    accumulate: Annotated[Whole, LEARNING, AT_LEAST_1] = 1
    """Gradient accumulation: batches per update, on each process."""
    max_tokens: Annotated[Whole, LEARNING, Within(least=16)] = 512
    """Maximum number of tokens per row; limited by the model's context length."""
    lr: Annotated[float | None, LEARNING, Within(above=0), unset("chosen by the base model's weights")] = None
    """Peak learning rate."""
    schedule: Annotated[Schedule, LEARNING] = "linear"
    """Learning-rate schedule, any that transformers' get_scheduler knows."""
    warmup_ratio: Annotated[float, LEARNING, Within(least=0, most=1)] = 0.1
    """Warm-up: share of all updates during which the learning rate rises."""
    validation_share: Annotated[float, DATA, Within(least=0, below=1, why="training needs some data")] = 0.1
    """Share of the data in the held-out split, which validation measures; 0 = no held-out split."""
    split: Annotated[SplitName, DATA] = "group"
    """What to hold out: whole groups (episodes, chats, games) at random, or the latest part in time."""
    held_out_speaker: Annotated[str | None, DATA] = None
    """Hold out every conversation in which this speaker speaks, instead of a share."""
    held_out_group: Annotated[str | None, DATA] = None
    """Hold out groups (episodes, chats, games) by name or pattern, such as `finals/*`, instead of a share."""
    canary: Annotated[Whole, DATA, Within(least=0, most=16)] = 0
    """Add this many made-up secrets to the training split, 1, 2, 4, 8 or 16 times each; `evaluate` looks for them."""
    optimizer: Annotated[Optimizer, MEMORY] = "adamw"
    """Optimizer: adamw, adafactor (half the optimizer memory), adamw8bit (a quarter; CUDA only, needs bitsandbytes)."""
    weight_decay: Annotated[float, LEARNING, AT_LEAST_0] = 0.01
    """Weight decay of the weight matrices; biases and norms have none."""
    max_grad_norm: Annotated[float, LEARNING, AT_LEAST_0] = 1.0
    """Clip gradients to this norm; 0 = no clipping."""
    beta: Annotated[float, LEARNING, Within(above=0)] = 0.1
    """With preferences: how closely the model keeps to what it was before; more is closer."""
    chosen_weight: Annotated[float, LEARNING, AT_LEAST_0] = 0.0
    """With preferences: weight of the usual loss on the chosen replies, beside the preference."""
    dropout: Annotated[float, LEARNING, Within(least=0, below=1)] = 0.0
    """Dropout probability, in models with dropout layers (such as GPT-2); rarely helps when training for few epochs."""
    precision: Annotated[Precision, MEMORY] = "auto"
    """Precision of the computation; auto = bf16 where the hardware supports it, else fp32. Weights stay in fp32."""
    label_smoothing: Annotated[float, LEARNING, Within(least=0, below=1)] = 0.0
    """Label smoothing: share of each target's probability that is spread over the vocabulary."""
    neftune: Annotated[float, LEARNING, AT_LEAST_0] = 0.0
    """NEFTune: noise on the embeddings during training, usually 5 to 15; 0 = none."""
    ema: Annotated[float, LEARNING, Within(least=0, below=1)] = 0.0
    """Evaluate and keep an average of the weights, in which each update back counts this much of the next; 0 = off."""
    lora_rank: Annotated[Whole, MEMORY, AT_LEAST_0] = 0
    """Train a LoRA adapter of this rank and save only the adapter; 0 = train all weights."""
    freeze_embeddings: Annotated[bool, MEMORY] = False
    """Do not train the embeddings (nor an output layer tied to them)."""
    gradient_checkpointing: Annotated[bool, MEMORY] = False
    """Recompute activations in the backward pass instead of storing them: less memory, about a quarter more time."""
    compile: Annotated[bool, MEMORY] = False
    """Compile the model with torch.compile: a start-up of minutes, then faster updates on some hardware."""
    log_every: Annotated[Whole, SAVING, AT_LEAST_1] = 10
    """Print the loss every this many updates."""
    eval_every: Annotated[Whole, LEARNING, AT_LEAST_0] = 0
    """Measure the held-out loss every this many updates; 0 = after each epoch."""
    patience: Annotated[Whole, LEARNING, AT_LEAST_0] = 0
    """Early stopping: stop after this many validations in a row without a better held-out loss; 0 = never."""
    keep_last: Annotated[bool, LEARNING] = False
    """Keep the last epoch's weights, whatever their held-out loss: nearer to the script's voice, and recites more."""
    save_every: Annotated[Whole, SAVING, AT_LEAST_0] = 0
    """Save a state for --resume every this many updates; 0 = after each epoch and every ten minutes."""
    keep: Annotated[Whole, SAVING, AT_LEAST_1] = 2
    """Number of saved states to keep; if the newest is damaged, --resume uses the one before."""
    report_to: Annotated[Tracker | None, SAVING] = None
    """Also report metrics to a tracker; metrics.jsonl is always written."""
    dry_run: Annotated[bool, SAVING] = False
    """Show the plan with estimated time and memory, without training."""
    seed: Annotated[Whole, LEARNING, Within(least=0, below=2**63)] = 0
    """Random seed of the split, the order of the rows, dropout and sampling."""
    resume: Annotated[bool, SAVING] = False
    """Resume the interrupted run in the output folder."""
    overwrite: Annotated[bool, SAVING] = False
    """Replace the trained model or interrupted run in the output folder."""
    trust_remote_code: Annotated[TrustRemoteCode, MODEL] = False
    allow_base: Annotated[AllowBase, MODEL] = False
    read: ReadConfig = field(default_factory=ReadConfig)
    clean: CleanConfig = field(default_factory=CleanConfig)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)

    def __post_init__(self) -> None:
        # Python callers may pass one file, or paths.
        for name in ("data", "preferences"):
            value = getattr(self, name)
            object.__setattr__(self, name, tuple(map(str, (value,) if isinstance(value, str | Path) else value)))
        if not (self.data or self.preferences):
            raise ConfigError("data", "(none)", "names no file. Give at least one.")
        check(self)
        if self.preferences:
            self._check_preferences()
        kind, _, role = self.view.partition(":")
        if self.view not in ("player", "moderator") and not (kind == "player" and role.upper() in SIDES):
            roles = ", ".join(SIDES)
            raise ConfigError("view", self.view, f"must be player, moderator, or player:ROLE with a role of {roles}.")
        if self.keep_last and self.patience:
            raise ConfigError("patience", self.patience, "waits for a better held-out loss, which keep last ignores.")
        if self.validation_share == 0:
            needs = "needs a validation share above 0: it depends on the held-out loss."
            if self.schedule == "reduce_lr_on_plateau":
                raise ConfigError("schedule", self.schedule, needs)
            if self.patience:
                raise ConfigError("patience", self.patience, needs)
        if self.persona_last and self.epochs == 1:
            raise ConfigError(
                "epochs", 1, "leaves no epoch before the last one, as persona last needs. Use at least 2."
            )
        if self.lora_rank and self.freeze_embeddings:
            raise ConfigError(
                "freeze_embeddings", True, "is not needed with LoRA, which freezes them anyway. Leave it out."
            )
        if self.held_out_speaker is not None and self.held_out_group is not None:
            raise ConfigError(
                "held_out_group",
                self.held_out_group,
                "cannot be combined with a held-out speaker. Leave one of them out.",
            )
        if self.resume and self.overwrite:
            raise ConfigError(
                "resume", True, "cannot be combined with overwrite: one continues the run, the other replaces it."
            )

    def _check_preferences(self) -> None:
        """Raise ConfigError for a setting of how conversations are read: with preferences none are."""
        for group in (self, self.read, self.clean):
            for each in fields(group):
                value = getattr(group, each.name)
                if (group is not self or each.name in ONLY_CONVERSATIONS) and value != each.default:
                    problem = "is about conversations, and choices are learnt as they are. Leave it out."
                    raise ConfigError(each.name, " ".join(value) if isinstance(value, tuple) else value, problem)


class Overriding:
    """Settings that hold those of the sampling, to be set over the ones saved with a model."""

    def sampling(self, saved: SamplingConfig) -> SamplingConfig:
        """The sampling settings saved with a model, overridden by those of this config."""
        return saved.changed(**{field.name: getattr(self, field.name) for field in fields(SamplingConfig)})


def check_runs(config: ServeConfig | EvaluateConfig, *, needed: bool = True) -> None:
    """`check`, where `runs` are folders, or the path of one; raises ConfigError where one is needed and none named."""
    runs: Any = config.runs  # Python callers may pass one folder, or paths
    object.__setattr__(config, "runs", (runs,) if isinstance(runs, str) else tuple(map(str, runs)))
    check(config)
    if needed and not config.runs:
        raise ConfigError("runs", "(none)", "names no model. Give at least one.")


HOME = Path("~/wolf_chatbox")
"""Where the page keeps characters, data and chats, if no other folder is named."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
@optional(SamplingConfig, "as saved with the model")
class ChatConfig(Overriding):
    """Chat with a trained model."""

    model: str = field(default="wolf_model", kw_only=False)
    """Folder of a trained model, or any base model."""
    persona: Annotated[str | None, unset("the trained persona, else the speaker with the most turns")] = None
    """The speaker who answers."""
    user: Annotated[str | None, unset("the speaker who talks most to the persona")] = None
    """The speaker that you chat as."""
    invite: tuple[str, ...] = ()
    """More speakers who are in the chat from its beginning (style named)."""
    next: NextSpeaker = "name"
    """Who speaks next among several: the one who is named, the next in turn, or whom the model expects."""
    home: Annotated[Path, SAVING] = HOME
    """Folder where chats on a terminal and votes are kept; the page keeps its own there."""
    remember: bool = False
    """Keep this chat in memory, and bring back what fits out of earlier chats of the same two."""
    turns: Annotated[Whole, AT_LEAST_0] = 0
    """End the chat after this many replies; 0 = no limit."""
    seed: Annotated[Whole | None, unset("a new one each time")] = None
    """Random seed of the sampling, to get the same replies again."""
    reverse_model: Annotated[str | None, REPLIES, unset("no reverse model")] = None
    """Folder of a model that `train --reverse` made of the same data; it helps to choose between candidates."""
    engine: Annotated[EngineName, ENGINE] = "auto"
    """What computes the replies; auto = torch on a GPU, else llama.cpp where it is installed and knows the model;
    for many replies at once openvino (an extra; GPT-2 and Llama)."""
    quantise: Annotated[Quantisation, ENGINE] = "q8_0"
    """How llama.cpp and openvino store the weights: q8_0 (8 bits), q4_k (4 bits, for large models), f16 (16 bits)."""
    trust_remote_code: TrustRemoteCode = False
    allow_base: AllowBase = False

    def __post_init__(self) -> None:
        check(self)
        self.sampling(SamplingConfig())


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
@optional(SamplingConfig, "as saved with the model")
class ServeConfig(Overriding):
    """Offer trained models behind OpenAI's API."""

    needs_runs: ClassVar[bool] = True
    runs: tuple[str, ...] = field(default=("wolf_model",), kw_only=False)
    """Folders of trained models, or base models; each is a model of the API, named as its folder."""
    host: Annotated[str, SERVER] = "127.0.0.1"
    """Address to listen on; 0.0.0.0 lets other machines in, which needs an API key."""
    port: Annotated[Whole, SERVER, Within(least=0, most=65535)] = 8000
    """Port to listen on; 0 = any that is free."""
    api_key: Annotated[str | None, SERVER, Parameter(env_var="WOLF_CHATBOX_API_KEY"), unset("no key")] = field(
        default=None, repr=False
    )
    """Key that clients must send; better set as WOLF_CHATBOX_API_KEY, as other users see a command line's flags."""
    api_key_file: Annotated[Path | None, SERVER, unset("no key")] = None
    """File with one key a line, readable by you only (chmod 600)."""
    allow_origin: Annotated[tuple[str, ...], SERVER] = ()
    """Origins of web pages that may ask this server, such as http://localhost:3000 (CORS)."""
    grace: Annotated[float, SERVER, AT_LEAST_0] = 30
    """Seconds that running replies get to end in when the server is told to leave."""
    reverse_model: Annotated[tuple[str, ...], REPLIES] = ()
    """Folders of models that `train --reverse` made, one for each run, in order; they help to choose candidates."""
    slots: Annotated[Whole, LIMITS, Within(least=1, most=256)] = 16
    """Replies that are drawn at once, for each run; they share forward passes."""
    queue: Annotated[Whole, LIMITS, AT_LEAST_0] = 64
    """Requests that wait for a slot, for each run; more are answered with status 429."""
    max_body: Annotated[Whole, LIMITS, AT_LEAST_1] = 2_000_000
    """Maximum number of bytes in a request."""
    max_prompt_tokens: Annotated[Whole, LIMITS, Within(least=16)] = 8192
    """Maximum number of tokens in a prompt; older messages are left out, longer raw texts refused."""
    max_reply_tokens: Annotated[Whole, LIMITS, AT_LEAST_1] = 1024
    """Maximum number of tokens in a reply, whatever a request asks for."""
    max_seconds: Annotated[float, LIMITS, Within(above=0)] = 120
    """Seconds that a reply may take; then it ends with what there is. A request waits as long at most."""
    engine: Annotated[EngineName, ENGINE] = "auto"
    """What computes the replies; auto = torch on a GPU, else llama.cpp where it is installed and knows the model."""
    quantise: Annotated[Quantisation, ENGINE] = "q8_0"
    """How llama.cpp stores the weights: q8_0 (8 bits), q4_k (4 bits, for large models), f16 (16 bits)."""
    trust_remote_code: TrustRemoteCode = False
    allow_base: AllowBase = False

    def __post_init__(self) -> None:
        check_runs(self, needed=self.needs_runs)
        if self.reverse_model and len(self.reverse_model) != len(self.runs):
            problem = f"must be one folder for each of the {len(self.runs)} runs, in their order."
            raise ConfigError("reverse_model", " ".join(self.reverse_model), problem)
        self.sampling(SamplingConfig())


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class WebConfig(ServeConfig):
    """Open the page: make characters from your files, and talk with them. The API is on the same port."""

    needs_runs: ClassVar[bool] = False
    runs: tuple[str, ...] = field(default=(), kw_only=False)
    """Folders of trained models to show, beside those that the page made."""
    home: Annotated[Path, SAVING] = HOME
    """Folder where the page keeps characters, data and chats."""
    port: Annotated[Whole, SERVER, Within(least=0, most=65535)] = 8080
    """Port to listen on; 0 = any that is free."""
    no_browser: Annotated[bool, SERVER] = False
    """Do not open the page in a browser."""
    max_upload: Annotated[Whole, LIMITS, AT_LEAST_1] = 2_000_000_000
    """Maximum number of bytes in a file that is dropped on the page."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
@optional(SamplingConfig, "as saved with the model")
class EvaluateConfig(Overriding):
    """Measure how good trained characters are, on conversations that they did not learn."""

    runs: tuple[str, ...] = field(default=("wolf_model",), kw_only=False)
    """Folders of trained models; the untrained base model and the humans are compared with them."""
    data: Annotated[tuple[str, ...], DATA, unset("the files that the first run was trained on")] = ()
    """Files, folders or archives of conversations; what a run learnt of them is never asked."""
    persona: Annotated[str | None, DATA, unset("the trained persona, else everybody")] = None
    """Whose replies are judged."""
    pseudonyms: Annotated[Path | None, DATA, unset("none")] = None
    """The file of pseudonyms that the run was trained with."""
    quick: Annotated[bool, MEASURING] = False
    """Only a scorecard, without the base model: right character, copied words, ends by itself."""
    replies: Annotated[Whole, MEASURING, AT_LEAST_1] = 200
    """Held-out exchanges that are asked at most, spread over the conversations."""
    chats: Annotated[Whole, MEASURING, AT_LEAST_0] = 5
    """Chats of 30 turns that each model leads with itself; 0 = none."""
    probes: Annotated[Whole, MEASURING, AT_LEAST_0] = 50
    """Beginnings of learnt lines that each model continues, to see what it knows by heart; 0 = none."""
    features: Annotated[str | None, MEASURING, unset("the base model")] = None
    """Model whose states MAUVE compares: a hub name, a folder, or an alias."""
    seed: Annotated[Whole, MEASURING, Within(least=0, below=2**63)] = 0
    """Random seed of the replies and of the bootstrap."""
    vote: Annotated[bool, JUDGING] = False
    """Ask on the terminal which of two replies is better, without telling whose they are; votes are saved at once."""
    judge: Annotated[str | None, JUDGING, unset("none")] = None
    """Ask a model which reply is better: URL#MODEL of a server with OpenAI's API. It is sent the last turns and the two
    replies of each pair, twice; WOLF_CHATBOX_JUDGE_KEY is its key. Without this nothing is sent anywhere."""
    votes: Annotated[tuple[str, ...], JUDGING, unset("votes.jsonl, with --vote or --judge")] = ()
    """Files of votes to count, from --vote or the page; --vote and --judge add to the first one."""
    voter: Annotated[str | None, JUDGING, unset("none")] = None
    """The name that your votes get."""
    pairs: Annotated[Whole, JUDGING, AT_LEAST_1] = 100
    """Pairs of replies that are voted on at most; the page, --vote and --judge ask about the same ones."""
    json: Annotated[Path | None, SAVING, unset("none")] = None
    """Write everything (figures, intervals, comparisons, replies, settings) to this file as JSON."""
    html: Annotated[Path | None, SAVING, unset("none")] = None
    """Write a page with plots, samples and a blind vote to this file; it needs no other file and no network."""
    report_to: Annotated[Tracker | None, SAVING, unset("none")] = None
    """Also send the figures to a tracker (install it first)."""
    overwrite: Annotated[bool, SAVING] = False
    """Replace an existing file of --json or --html."""
    slots: Annotated[Whole, ENGINE, Within(least=1, most=256)] = 16
    """Replies that are drawn at once; they share forward passes."""
    engine: Annotated[EngineName, ENGINE] = "auto"
    """What computes the replies; auto = torch on a GPU, else llama.cpp where it is installed and knows the model."""
    quantise: Annotated[Quantisation, ENGINE] = "q8_0"
    """How llama.cpp and openvino store the weights: q8_0 (8 bits), q4_k (4 bits, for large models), f16 (16 bits)."""
    trust_remote_code: TrustRemoteCode = False
    allow_base: AllowBase = False

    def __post_init__(self) -> None:
        check_runs(self)
        self.sampling(SamplingConfig())
