"""`wolf-chatbox evaluate`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wolf_chatbox.cli.chat import untrained
from wolf_chatbox.cli.display import quiet_transformers
from wolf_chatbox.cli.pulse import Pulse
from wolf_chatbox.config import EvaluateConfig
from wolf_chatbox.errors import CheckpointError, ConfigError, WolfChatboxError
from wolf_chatbox.evaluate.library import NEEDED
from wolf_chatbox.files import check_place, new_file
from wolf_chatbox.screen import Screen

if TYPE_CHECKING:
    from wolf_chatbox.evaluate.results import Results


def evaluate(config: EvaluateConfig | None = None) -> int:
    """Measure how good trained characters are, on conversations that they did not learn.

    The figures are also written beside each run: evaluation.json, and the section "Quality" of its model card.
    """
    config = config or EvaluateConfig()
    for run in config.runs:
        if run == "wolf_model" and not Path(run).exists():
            raise untrained("runs", run, "wolf-chatbox train --data FILE")
    check(config)
    screen = Screen()
    from wolf_chatbox.cli import judging
    from wolf_chatbox.evaluate.judging.pairs import pairs
    from wolf_chatbox.evaluate.judging.ranking import summary
    from wolf_chatbox.evaluate.report import table
    from wolf_chatbox.evaluate.report.card import plain

    judging.check(config)
    results = measure(config)
    found = plain(results.to_dict())
    asked = pairs(results.study, config.pairs)
    failed = None
    try:
        judging.gather(config, asked, results.study.language, screen)
    except WolfChatboxError as error:  # told at the end: the figures are worth keeping
        failed = error
    table.show(found, screen)
    if votes := judging.read(config):
        found["votes"] = summary(votes, config.seed)
        judging.show(found["votes"], screen)
    write(config, found, asked, screen)
    if failed is not None:
        raise failed
    return 0


def measure(config: EvaluateConfig) -> Results:
    """The results, with signs of life while they are found."""
    console = Screen(stderr=True)
    quiet_transformers()
    from wolf_chatbox.evaluate.study import evaluate as measured

    if console.is_terminal:
        with console.status("…") as status:
            results = measured(config, status.update)
    else:
        with Pulse(console.say, "evaluating") as pulse:
            results = measured(config, pulse.begin)
    for notice in results.notices:
        console.say(f"note: {notice}", "yellow")
    return results


def check(config: EvaluateConfig) -> None:
    """Raise what would otherwise be raised after minutes of work."""
    for file in (config.json, config.html):
        if file is not None:
            check_place(file, overwrite=config.overwrite)
    if config.report_to is not None:
        from wolf_chatbox.training.tracking import check_tracker

        check_tracker(config)
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        problem = f"needs {', '.join(missing)}. Install them: pip install 'wolf-chatbox[evaluate]'"
        raise ConfigError("runs", " ".join(config.runs), problem)


def write(config: EvaluateConfig, found: Mapping[str, Any], asked: Any, screen: Screen) -> None:
    """Write the results wherever they belong; a run's folder that cannot be written is told, and no more."""
    from wolf_chatbox.evaluate.contestants import names_of
    from wolf_chatbox.evaluate.report.card import to_json, write_beside
    from wolf_chatbox.evaluate.report.page import to_html
    from wolf_chatbox.evaluate.tracking import track
    from wolf_chatbox.training.curves import read_curves

    if config.json is not None:
        with new_file(config.json, overwrite=config.overwrite) as file:
            file.write(to_json(found))
        screen.say(f"Everything is in {config.json}.")
    if config.html is not None:
        trained = {name: read_curves(Path(run)) for name, run in zip(names_of(config.runs), config.runs)}
        with new_file(config.html, overwrite=config.overwrite) as file:
            file.write(to_html(found, asked, trained))
        screen.say(f"The page is {config.html}.")
    for name, run in zip(names_of(config.runs), config.runs):
        if not Path(run).is_dir():  # a model of the hub, whose copy here is not ours
            continue
        try:
            write_beside(Path(run), name, found)
        except CheckpointError as error:
            screen.say(f"note: {error}", "yellow")
        if config.report_to is not None:
            track(config.report_to, Path(run), name, found)
