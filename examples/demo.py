"""`make demo`: train the innkeeper of the bundled script, then chat with him; `make demo LANG=ja`, the Japanese one.

Without a terminal three questions are asked instead. What is trained already is used again; --fresh trains anew.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from wolf_chatbox.cli import run
from wolf_chatbox.cli.chat import open_chat
from wolf_chatbox.cli.train import fine_tune
from wolf_chatbox.config import ChatConfig, EvaluateConfig, SamplingConfig, TrainConfig
from wolf_chatbox.evaluate.report.card import EVALUATION, write_beside
from wolf_chatbox.model.record import RUN_FILE
from wolf_chatbox.samples.learnt import LEARNT_FILE
from wolf_chatbox.training.run_folder import RunFolder


@dataclass(frozen=True)
class Demo:
    """A script, the character in it, and what the demo says."""

    command: str
    folder: Path
    data: str
    model: str
    persona: str
    begins: str
    epochs: int
    questions: tuple[str, ...]
    measures: str
    score: str
    """The scorecard, with the names of figures and of who they are of."""
    temperature: float = SamplingConfig.temperature
    lr: float | None = None
    """Higher than what suits Gemma's held-out loss: it learns to speak like the script, and part of it by heart."""
    licence: str = ""
    """Said before a base model is fetched whose licence the user must agree to."""


DEMOS = {
    "en": Demo(
        command="make demo",
        folder=Path("demo_model"),
        data="example",
        model="smollm2-135m",
        persona="Grimbold",
        epochs=3,
        begins="First the innkeeper Grimbold is trained (once), then you can talk with him.",
        questions=("Good evening! Who are you?", "What is for supper tonight?", "Do you like the full moon?"),
        measures="Now he answers lines of the script that he did not learn.",
        score="Scorecard, {count} replies to lines he did not learn: {right_character_run} sound like Grimbold (of the "
        "script's own lines {right_character_humans}), {copied_12_run} copy 12 words or more, {ends_run} end by "
        "themselves. All figures: wolf-chatbox evaluate demo_model",
    ),
    "ja": Demo(
        command="make demo LANG=ja",
        folder=Path("demo_model_ja"),
        data="example-ja",
        model="gemma3-270m",
        persona="おトラ",
        epochs=4,
        lr=6e-5,
        temperature=0.7,  # at 0.9 this small a model of so many languages loses the thread
        begins="まず、湯宿の女将おトラを学習します (初回だけ)。終わると、おトラと話せます。",
        questions=("こんばんは。あなたは誰ですか。", "夕飯は何ですか。", "満月は好きですか。"),
        measures="学習に使わなかった場面に答えさせて、出来を測ります。",
        score="成績表 (学習していない場面への返答 {count} 件): おトラらしい {right_character_run} "
        "(台本のせりふでは {right_character_humans})、12 語以上の丸写し {copied_12_run}、"
        "自分で話し終えた {ends_run}。すべての値: wolf-chatbox evaluate demo_model_ja",
        licence="ベースモデル Gemma 3 270M を取得します。使うには Gemma の利用規約への同意が必要です。",
    ),
}


def demo(show: Demo, fresh: bool) -> int:
    """Train, then talk; each step returns an exit code, and what is not 0 ends the demo."""
    code = _train(show, fresh) or _measure(show) or _talk(show)
    if not code and (show.folder / EVALUATION).exists():
        _tell_score(show)
    return code


def _train(show: Demo, fresh: bool) -> int:
    unfinished = bool(RunFolder(show.folder).states())
    if not fresh and not unfinished and (show.folder / RUN_FILE).exists():
        return 0
    if show.licence:
        _agree(show)
    print(show.begins, flush=True)
    config = TrainConfig(
        data=(show.data,),
        model=show.model,
        persona=show.persona,
        # The voice counts here, not the perplexity: keep the last epoch.
        keep_last=True,
        epochs=show.epochs,
        lr=show.lr,
        sampling=SamplingConfig(temperature=show.temperature),
        freeze_embeddings=show.model == "gemma3-270m",  # 170M of 270M parameters: less memory, and no worse
        output=show.folder,
        resume=unfinished and not fresh,
        overwrite=fresh,
    )
    return fine_tune(config, show.command, show.command)


def _agree(show: Demo) -> None:
    """Fetch the base model if it is not here; that asks for agreement to its licence."""
    from wolf_chatbox.cli.models import pull
    from wolf_chatbox.model.hub import is_cached

    if not is_cached(show.model):
        print(show.licence, flush=True)
        pull(show.model)


def _measure(show: Demo) -> int:
    """Ask the character what it did not learn, once; the figures stay beside it."""
    from wolf_chatbox.cli.evaluate import measure

    # A model that an earlier version trained does not say what it learnt; it is talked with all the same.
    if (show.folder / LEARNT_FILE).exists() and not (show.folder / EVALUATION).exists():
        print(show.measures, flush=True)
        results = measure(EvaluateConfig(runs=(str(show.folder),), quick=True))
        write_beside(show.folder, show.folder.name, results.to_dict())
    return 0


def _tell_score(show: Demo) -> None:
    found = json.loads((show.folder / EVALUATION).read_text(encoding="utf-8"))
    figures = defaultdict(lambda: "—", count=str(found["exchanges"]))  # a figure may be missing: too few lines
    figures |= {
        f"{measure['name']}_{who}": f"{100 * figure['value']:.0f} %"
        for measure in found["measures"]
        for who, name in (("humans", "humans"), ("run", show.folder.name))
        if (figure := measure["figures"].get(name)) and figure["value"] is not None
    }
    print(show.score.format_map(figures), flush=True)


def _talk(show: Demo) -> int:
    if sys.stdin.isatty() and sys.stdout.isatty():
        return open_chat(ChatConfig(model=str(show.folder)))
    from wolf_chatbox.talk.session import ChatSession

    session = ChatSession.load(show.folder, seed=0)
    for question in show.questions:
        print(f"{session.user}: {question}\n{session.persona}: {session.reply(question)}", flush=True)
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="train anew")
    parser.add_argument("--language", choices=DEMOS, default="en", help="of the script and of the character")
    arguments = parser.parse_args()
    if arguments.language != "en":
        os.environ["LC_ALL"] = arguments.language  # the chat speaks it too; `make demo LANG=ja` hides a LANG of its own
    sys.exit(run(lambda: demo(DEMOS[arguments.language], arguments.fresh), {}))
