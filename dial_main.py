"""The classic command line: `python dial_main.py` trains, `python dial_main.py --play` talks.

A thin front over the package: every flag goes into TrainConfig or ChatConfig, where it is checked.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

sys.path.insert(0, str(Path(__file__).resolve().parent / "src"))  # a clone works without being installed

from cyclopts import App, Parameter

from wolf_chatbox.cli import run
from wolf_chatbox.config import (
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
    "allow_base": "--allow_base",
    "no_repeat_ngram_size": "--no_repeat_ngram_size",
    "top_k": "--top_k",
    "top_p": "--top_p",
    "speaker_column": "--speaker_column",
    "text_column": "--text_column",
    "cut_at_jump": "--cut_at_jump",
}
"""What the classic command line calls the package's settings; the others go by their own name."""

app = App(
    name="dial_main.py",
    help="Fine-tune a dialogue model on your conversations; with --play, talk with it.",
    default_parameter=Parameter(negative=(), consume_multiple=True, name_transform=lambda name: name),
    version_flags=(),
    result_action="return_value",
)


@app.default
def dial_main(
    *,
    data: tuple[str, ...] = (DEFAULT_DATA,),
    initial_point: str = TrainConfig.model,
    schedule: Schedule = TrainConfig.schedule,
    wm_ratio: float = TrainConfig.warmup_ratio,
    max_len_dial: Whole = TrainConfig.max_tokens,
    lr: float = TrainConfig.lr,
    test_size: float = TrainConfig.validation_share,
    train_bz: Whole = TrainConfig.batch_size,
    acc_step: Whole = TrainConfig.accumulate,
    epoch: Whole = TrainConfig.epochs,
    log_step: Whole = TrainConfig.log_every,
    max_len_gen: Annotated[Whole | None, Parameter(show_default=lambda _: SamplingConfig.max_new_tokens)] = None,
    no_repeat_ngram_size: Annotated[Whole | None, Parameter(show_default=lambda _: SamplingConfig.no_repeat_ngram_size)] = None,
    top_k: Annotated[Whole | None, Parameter(show_default=lambda _: SamplingConfig.top_k)] = None,
    top_p: Annotated[float | None, Parameter(show_default=lambda _: SamplingConfig.top_p)] = None,
    temp: Annotated[float | None, Parameter(show_default=lambda _: SamplingConfig.temperature)] = None,
    play: bool = False,
    ptr_model_path: Path = TrainConfig.output,
    chat_turns: Whole = ChatConfig.turns,
    persona: str | None = None,
    user: str | None = None,
    view: str = TrainConfig.view,
    style: StyleName = TrainConfig.style,
    seed: Whole | None = None,
    optimizer: Optimizer = TrainConfig.optimizer,
    weight_decay: float = TrainConfig.weight_decay,
    max_grad_norm: float = TrainConfig.max_grad_norm,
    dropout: float = TrainConfig.dropout,
    precision: Precision = TrainConfig.precision,
    lora_rank: Whole = TrainConfig.lora_rank,
    freeze_embeddings: bool = False,
    gradient_checkpointing: bool = False,
    compile: bool = False,
    eval_step: Whole = TrainConfig.eval_every,
    patience: Whole = TrainConfig.patience,
    save_step: Whole = TrainConfig.save_every,
    keep: Whole = TrainConfig.keep,
    report_to: Tracker | None = None,
    dry_run: bool = False,
    resume: bool = False,
    overwrite: bool = False,
    format: FormatName = ReadConfig.format,
    encoding: str = ReadConfig.encoding,
    speaker_column: str | None = None,
    text_column: str | None = None,
    cut_at_jump: Whole = ReadConfig.cut_at_jump,
    trust_remote_code: bool = False,
    allow_base: bool = False,
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
    no_repeat_ngram_size
        No n-gram of this size twice in a reply; 0 is off.
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
    trust_remote_code
        Run the Python code that some base models bring along.
    allow_base
        Fetch the base model that an adapter (a LoRA folder) names from the hub, where it is not on this machine.
    """
    sampling: dict[str, Any] = {
        "max_new_tokens": max_len_gen,
        "no_repeat_ngram_size": no_repeat_ngram_size,
        "top_k": top_k,
        "top_p": top_p,
        "temperature": temp,
    }
    if play:
        from wolf_chatbox.cli.chat import open_chat

        if not ptr_model_path.exists():
            raise ConfigError("output", ptr_model_path, "there is no trained model. Train one first: python dial_main.py")
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
    for name, value, default in (("turns", chat_turns, 0), ("user", user, None)):
        if value != default:
            raise ConfigError(name, value, "needs --play.")
    if data == (DEFAULT_DATA,) and not Path(DEFAULT_DATA).exists():
        raise DataError(
            f"{DEFAULT_DATA}: not in this folder. Get it from the Rick and Morty script data set on Kaggle "
            "(andradaolteanu/rickmorty-scripts), name your own file with --data FILE, or try the bundled script: --data example."
        )
    config = TrainConfig(
        data=data,
        model=initial_point,
        output=ptr_model_path,
        persona=persona,
        view=view,
        style=style,
        epochs=epoch,
        batch_size=train_bz,
        accumulate=acc_step,
        max_tokens=max_len_dial,
        lr=lr,
        schedule=schedule,
        warmup_ratio=wm_ratio,
        validation_share=test_size,
        log_every=log_step,
        optimizer=optimizer,
        weight_decay=weight_decay,
        max_grad_norm=max_grad_norm,
        dropout=dropout,
        precision=precision,
        lora_rank=lora_rank,
        freeze_embeddings=freeze_embeddings,
        gradient_checkpointing=gradient_checkpointing,
        compile=compile,
        eval_every=eval_step,
        patience=patience,
        save_every=save_step,
        keep=keep,
        report_to=report_to,
        dry_run=dry_run,
        seed=seed or 0,
        resume=resume,
        overwrite=overwrite,
        trust_remote_code=trust_remote_code,
        allow_base=allow_base,
        read=ReadConfig(format=format, encoding=encoding, speaker_column=speaker_column, text_column=text_column, cut_at_jump=cut_at_jump),
        sampling=SamplingConfig().changed(**sampling),
    )
    from wolf_chatbox.cli.train import fine_tune

    where = "" if ptr_model_path == TrainConfig.output else f" --ptr_model_path {ptr_model_path}"
    return fine_tune(config, f"python dial_main.py --play{where}")


if __name__ == "__main__":
    sys.exit(run(lambda: app(exit_on_error=False, print_error=False), FLAGS))
