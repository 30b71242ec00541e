"""The classic command line: `python dial_main.py` trains, `python dial_main.py --play` talks.

A thin front over the package: every flag goes into TrainConfig or ChatConfig, where it is checked.
"""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

sys.path.insert(0, str(Path(__file__).resolve().parent / "src"))  # a clone works without being installed

from cyclopts import App, Group, Parameter

from wolf_chatbox.cli import run
from wolf_chatbox.config import (
    DATA,
    LEARNING,
    MEMORY,
    MODEL,
    REPLIES,
    SAVING,
    ChatConfig,
    FormatName,
    Optimizer,
    Precision,
    ReadConfig,
    SamplingConfig,
    Schedule,
    StyleName,
    Tracker,
    TrainConfig,
    Whole,
    typed,
)
from wolf_chatbox.errors import ConfigError, DataError

DEFAULT_DATA = "RickAndMortyScripts.csv"

FLAGS = {
    "model": "--initial_point",
    "output": "--ptr_model_path",
    "warmup_ratio": "--wm_ratio",
    "max_tokens": "--max_len_dial",
    "validation_share": "--test_size",
    "batch_size": "--train_bz",
    "accumulate": "--acc_step",
    "epochs": "--epoch",
    "log_every": "--log_step",
    "save_every": "--save_step",
    "eval_every": "--eval_step",
    "lora_rank": "--lora_rank",
    "freeze_embeddings": "--freeze_embeddings",
    "gradient_checkpointing": "--gradient_checkpointing",
    "weight_decay": "--weight_decay",
    "max_grad_norm": "--max_grad_norm",
    "report_to": "--report_to",
    "dry_run": "--dry_run",
    "max_new_tokens": "--max_len_gen",
    "temperature": "--temp",
    "turns": "--chat_turns",
    "trust_remote_code": "--trust_remote_code",
    "no_repeat_phrase": "--no_repeat_phrase",
    "allow_base": "--allow_base",
    "no_repeat_ngram_size": "--no_repeat_ngram_size",
    "top_k": "--top_k",
    "top_p": "--top_p",
    "speaker_column": "--speaker_column",
    "text_column": "--text_column",
    "cut_at_jump": "--cut_at_jump",
}
"""What the classic command line calls the package's settings; the others go by their own name."""
DEFAULTS = {each.name: each.default for kind in (ChatConfig, ReadConfig, TrainConfig) for each in fields(kind)} | {
    "data": (DEFAULT_DATA,)
}
TALKING = Parameter(group=Group("Talking", sort_key=6))

app = App(
    name="dial_main.py",
    help="Fine-tune a dialogue model on your conversations; with --play, talk with it.",
    default_parameter=Parameter(
        negative=(), consume_multiple=True, show_default=typed, name_transform=lambda name: name
    ),
    version_flags=(),
    result_action="return_value",
)


@app.default
def dial_main(
    *,
    data: Annotated[tuple[str, ...], DATA] = (DEFAULT_DATA,),
    initial_point: Annotated[str, MODEL] = TrainConfig.model,
    schedule: Annotated[Schedule, LEARNING] = TrainConfig.schedule,
    wm_ratio: Annotated[float, LEARNING] = TrainConfig.warmup_ratio,
    max_len_dial: Annotated[Whole, LEARNING] = TrainConfig.max_tokens,
    lr: Annotated[float, LEARNING] = TrainConfig.lr,
    test_size: Annotated[float, DATA] = TrainConfig.validation_share,
    train_bz: Annotated[Whole, LEARNING] = TrainConfig.batch_size,
    acc_step: Annotated[Whole, LEARNING] = TrainConfig.accumulate,
    epoch: Annotated[Whole, LEARNING] = TrainConfig.epochs,
    log_step: Annotated[Whole, SAVING] = TrainConfig.log_every,
    max_len_gen: Annotated[
        Whole | None, REPLIES, Parameter(show_default=lambda _: typed(SamplingConfig.max_new_tokens))
    ] = None,
    no_repeat_phrase: Annotated[
        Whole | None, REPLIES, Parameter(show_default=lambda _: typed(SamplingConfig.no_repeat_phrase))
    ] = None,
    no_repeat_ngram_size: Annotated[
        Whole | None, REPLIES, Parameter(show_default=lambda _: typed(SamplingConfig.no_repeat_ngram_size))
    ] = None,
    top_k: Annotated[Whole | None, REPLIES, Parameter(show_default=lambda _: typed(SamplingConfig.top_k))] = None,
    top_p: Annotated[float | None, REPLIES, Parameter(show_default=lambda _: typed(SamplingConfig.top_p))] = None,
    temp: Annotated[float | None, REPLIES, Parameter(show_default=lambda _: typed(SamplingConfig.temperature))] = None,
    play: Annotated[bool, TALKING] = False,
    ptr_model_path: Annotated[Path, SAVING] = TrainConfig.output,
    chat_turns: Annotated[Whole, TALKING] = ChatConfig.turns,
    persona: Annotated[str | None, DATA] = None,
    user: Annotated[str | None, TALKING] = None,
    view: Annotated[str, DATA] = TrainConfig.view,
    style: Annotated[StyleName, MODEL] = TrainConfig.style,
    seed: Annotated[Whole | None, LEARNING] = None,
    optimizer: Annotated[Optimizer, MEMORY] = TrainConfig.optimizer,
    weight_decay: Annotated[float, LEARNING] = TrainConfig.weight_decay,
    max_grad_norm: Annotated[float, LEARNING] = TrainConfig.max_grad_norm,
    dropout: Annotated[float, LEARNING] = TrainConfig.dropout,
    precision: Annotated[Precision, MEMORY] = TrainConfig.precision,
    lora_rank: Annotated[Whole, MEMORY] = TrainConfig.lora_rank,
    freeze_embeddings: Annotated[bool, MEMORY] = False,
    gradient_checkpointing: Annotated[bool, MEMORY] = False,
    compile: Annotated[bool, MEMORY] = False,
    eval_step: Annotated[Whole, LEARNING] = TrainConfig.eval_every,
    patience: Annotated[Whole, LEARNING] = TrainConfig.patience,
    save_step: Annotated[Whole, SAVING] = TrainConfig.save_every,
    keep: Annotated[Whole, SAVING] = TrainConfig.keep,
    report_to: Annotated[Tracker | None, SAVING] = None,
    dry_run: Annotated[bool, SAVING] = False,
    resume: Annotated[bool, SAVING] = False,
    overwrite: Annotated[bool, SAVING] = False,
    format: Annotated[FormatName, DATA] = ReadConfig.format,
    encoding: Annotated[str, DATA] = ReadConfig.encoding,
    speaker_column: Annotated[str | None, DATA] = None,
    text_column: Annotated[str | None, DATA] = None,
    cut_at_jump: Annotated[Whole, DATA] = ReadConfig.cut_at_jump,
    strict: Annotated[bool, DATA] = False,
    trust_remote_code: Annotated[bool, MODEL] = False,
    allow_base: Annotated[bool, MODEL] = False,
) -> int:
    """Fine-tune a dialogue model on your conversations; with --play, talk with it.

    Parameters
    ----------
    data
        The training data; several files are allowed; `example` is the bundled script.
    initial_point
        Base model: a hub name, a folder, or an alias such as smollm2-135m.
    schedule
        Learning-rate schedule, any that transformers' get_scheduler knows.
    wm_ratio
        Warm-up updates as a share of all updates.
    max_len_dial
        Tokens of one training sample at most; bounded by the model's context.
    lr
        The schedule's highest learning rate.
    test_size
        Share of the data, by whole groups such as episodes, held out for validation.
    train_bz
        Samples (rows of max_len_dial tokens) in one forward pass.
    acc_step
        Passes accumulated for one update; the effective batch is acc_step × train_bz.
    epoch
        Passes over the data.
    log_step
        Updates between two printed losses.
    max_len_gen
        Tokens of one generated reply at most.
    no_repeat_phrase
        No phrase of this many words twice in a reply, and no piece of text more than four times in a row; 0 is off.
    no_repeat_ngram_size
        No n-gram of this many tokens twice in a reply, even within words; 0 is off.
    top_k
        Top-k sampling: draw from this many likeliest tokens; 0 is off.
    top_p
        Nucleus sampling: draw from the likeliest tokens that hold this share of the probability.
    temp
        Temperature; 0 is greedy.
    play
        Talk instead of train.
    ptr_model_path
        Where training writes and --play reads.
    chat_turns
        End the chat after this many turns; 0 is no limit.
    persona
        Training learns this speaker's turns only; --play answers as it.
    user
        With --play: whose name you speak under.
    view
        Games of werewolf as whom to learn: player (each as it lived the game), player:ROLE, or moderator (everything).
    style
        How turns become text: dialogpt, named, chat, or auto.
    seed
        Seed of everything that is random; training without it takes 0, --play draws anew each time.
    optimizer
        adamw, adafactor (half the memory of its state), or adamw8bit (CUDA, a quarter; needs bitsandbytes).
    weight_decay
        Decay of the weight matrices; biases and norms do not decay.
    max_grad_norm
        Gradients are scaled down to this norm; 0 leaves them as they are.
    dropout
        Dropout in the layers that have one (GPT-2's have).
    precision
        What is computed in; auto is bf16 where the hardware computes in it, else fp32.
    lora_rank
        Learn low-rank additions of this rank to the weights, and save those only; 0 learns all weights.
    freeze_embeddings
        Leave the embeddings as they are.
    gradient_checkpointing
        Compute each layer twice instead of keeping its insides: less memory, more time.
    compile
        Compile the model before the first update (torch.compile).
    eval_step
        Updates between two measurements of the held-out loss; 0 measures at the end of each epoch.
    patience
        Stop after this many measurements in a row that are no better than the best; 0 never does.
    save_step
        Updates between two saved states that --resume can continue; 0 saves at each epoch's end and every ten minutes.
    keep
        Saved states that are kept.
    report_to
        Send the figures to a tracker as well; metrics.jsonl always has them.
    dry_run
        Tell what would be done, with the estimated time and memory, and train nothing.
    resume
        Continue the interrupted run in ptr_model_path.
    overwrite
        Replace the model or the interrupted run in ptr_model_path.
    format
        The files' format; auto recognises it.
    encoding
        The files' character encoding, such as cp932; auto recognises UTF-8, UTF-16 with a mark, and CP1252.
    speaker_column
        A script's column of speaker names, when it is not recognised.
    text_column
        A script's column of lines, when it is not recognised.
    cut_at_jump
        Where a script's line index jumps by more than this, a new conversation starts.
    strict
        Stop at the first file that cannot be read whole; without it, all is read of a folder that can be.
    trust_remote_code
        Run the Python code that some base models bring along.
    allow_base
        Fetch the base model that an adapter (a LoRA folder) names from the hub, where it is not on this machine.
    """
    sampling: dict[str, Any] = {
        "max_new_tokens": max_len_gen,
        "no_repeat_phrase": no_repeat_phrase,
        "no_repeat_ngram_size": no_repeat_ngram_size,
        "top_k": top_k,
        "top_p": top_p,
        "temperature": temp,
    }
    training: dict[str, Any] = {
        "data": data,
        "model": initial_point,
        "view": view,
        "style": style,
        "epochs": epoch,
        "batch_size": train_bz,
        "accumulate": acc_step,
        "max_tokens": max_len_dial,
        "lr": lr,
        "schedule": schedule,
        "warmup_ratio": wm_ratio,
        "validation_share": test_size,
        "log_every": log_step,
        "optimizer": optimizer,
        "weight_decay": weight_decay,
        "max_grad_norm": max_grad_norm,
        "dropout": dropout,
        "precision": precision,
        "lora_rank": lora_rank,
        "freeze_embeddings": freeze_embeddings,
        "gradient_checkpointing": gradient_checkpointing,
        "compile": compile,
        "eval_every": eval_step,
        "patience": patience,
        "save_every": save_step,
        "keep": keep,
        "report_to": report_to,
        "dry_run": dry_run,
        "resume": resume,
        "overwrite": overwrite,
    }
    reading: dict[str, Any] = {
        "format": format,
        "encoding": encoding,
        "speaker_column": speaker_column,
        "text_column": text_column,
        "cut_at_jump": cut_at_jump,
        "strict": strict,
    }
    if play:
        refuse(training | reading, "is for training. Leave it out with --play.")
        from wolf_chatbox.cli.chat import open_chat, untrained

        if not ptr_model_path.exists():
            raise untrained("output", ptr_model_path, "python dial_main.py")
        return open_chat(
            ChatConfig(
                model=str(ptr_model_path),
                persona=persona,
                user=user,
                turns=chat_turns,
                seed=seed,
                trust_remote_code=trust_remote_code,
                allow_base=allow_base,
                **sampling,
            )
        )
    refuse({"turns": chat_turns, "user": user}, "needs --play.")
    if data == (DEFAULT_DATA,) and not Path(DEFAULT_DATA).exists():
        raise DataError(
            f"{DEFAULT_DATA}: not in this folder. Get it from the Rick and Morty script data set on Kaggle "
            "(andradaolteanu/rickmorty-scripts), name your own file with --data FILE, or try the bundled script: --data example."
        )
    config = TrainConfig(
        **training,
        output=ptr_model_path,
        persona=persona,
        seed=seed or 0,
        trust_remote_code=trust_remote_code,
        read=ReadConfig(**reading),
        allow_base=allow_base,
        sampling=SamplingConfig().changed(**sampling),
    )
    from wolf_chatbox.cli.train import fine_tune

    where = "" if ptr_model_path == TrainConfig.output else f" --ptr_model_path {ptr_model_path}"
    return fine_tune(config, f"python dial_main.py --play{where}")


def refuse(settings: dict[str, Any], problem: str) -> None:
    """Raise ConfigError for a setting that is given where it has no effect."""
    for name, value in settings.items():
        if value != DEFAULTS[name]:
            raise ConfigError(name, " ".join(value) if isinstance(value, tuple) else value, problem)


if __name__ == "__main__":
    sys.exit(run(lambda: app(exit_on_error=False, print_error=False), FLAGS))
