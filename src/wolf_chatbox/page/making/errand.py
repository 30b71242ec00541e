"""Work that must not hold up the page, each in a process of its own that can be ended at any time.

    python -m wolf_chatbox.page.making.errand look FOLDER        what is in the files, into look.json
    python -m wolf_chatbox.page.making.errand plan FOLDER        time and memory, by a dry run of settings.yaml
    python -m wolf_chatbox.page.making.errand fetch MODEL [agreed]

Each line that it writes is JSON: `{"step": …}` on the way, then `{"result": …}` or `{"error": …}`.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from wolf_chatbox.config import CleanConfig, ReadConfig
from wolf_chatbox.errors import DataError, FormatError, WolfChatboxError
from wolf_chatbox.page.making.making import Making, read_making, write_json
from wolf_chatbox.page.making.queue import CALM

COMMAND = (sys.executable, "-m", "wolf_chatbox.page.making.errand")
LONGEST = 1 << 24
"""Bytes of a line that is read."""
CLEANING = ("repair", "duplicates", "languages")
READING = ("also_keep", "encoding")
Tell = Callable[[Any], None]


async def send(what: str, *arguments: str, tell: Tell = lambda step: None) -> Any:
    """Do something in a process of its own, and return its result; when it is cancelled, so is the process.

    Raises DataError with what went wrong, in one line; FormatError where a format is unknown.
    """
    environment = os.environ | CALM | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        what,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment,
        limit=LONGEST,
    )
    try:
        assert process.stdout is not None
        async for line in process.stdout:
            try:
                said = json.loads(line)
            except ValueError:
                continue
            if "result" in said:
                return said["result"]
            if "error" in said:
                kind = FormatError if said.get("unknown") else DataError
                raise kind(str(said["error"]))
            tell(said.get("step"))
        await process.wait()
        raise DataError(f"{what}: ended without a result (code {process.returncode}). Perhaps memory ran out.")
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def look_settings(making: Making) -> tuple[ReadConfig, CleanConfig]:
    """How the files of a making are read and cleaned, without privacy."""
    about = making.about
    read = {name: about[name] for name in READING if about.get(name)}
    cleaning = {name: about[name] for name in CLEANING if about.get(name)}
    return ReadConfig(**read), CleanConfig(**cleaning)


def _look(say: Tell, folder: str) -> Any:
    from wolf_chatbox.page.making.looking import look

    making = _making(folder)
    found = look(making.data, *look_settings(making), lambda turns: say({"step": turns}))
    write_json(making.look, asdict(found))
    return True


def _plan(say: Tell, folder: str) -> Any:
    from wolf_chatbox.training.journal import Begun, short
    from wolf_chatbox.training.loop import train
    from wolf_chatbox.training.progress import Planned, Progress, Step

    found: dict[str, Any] = {}

    def tell(progress: Progress) -> None:
        event = short(progress)
        if isinstance(event, Begun | Planned):
            found.update(asdict(event))
        elif isinstance(event, Step):
            say({"step": event.kind or event.text})

    train(replace(_making(folder).read_settings(), dry_run=True, resume=False), tell)
    return found


def _fetch(say: Tell, model: str, agreed: str = "") -> Any:
    from wolf_chatbox.model import embedded
    from wolf_chatbox.model.hub import locate

    def tell(text: str) -> None:
        say({"step": text})

    name = model.lower()
    return str(embedded.pull(name, tell, agreed=bool(agreed)) if name in embedded.EMBEDDED else locate(model, tell))


def _making(folder: str) -> Making:
    making = read_making(Path(folder))
    if making is None:
        raise DataError(f"{folder}: it is not there any more. Begin a new character.")
    return making


ERRANDS: dict[str, Callable[..., Any]] = {"look": _look, "plan": _plan, "fetch": _fetch}


def main(what: str, arguments: Sequence[str]) -> None:
    """Do an errand, and write how it goes on the standard output; what libraries print goes elsewhere."""
    warnings.simplefilter("ignore")
    out, sys.stdout = sys.stdout, sys.stderr

    def say(value: Any) -> None:
        out.write(json.dumps(value) + "\n")
        out.flush()

    try:
        say({"result": ERRANDS[what](say, *arguments)})
    except WolfChatboxError as error:
        say({"error": str(error), "unknown": isinstance(error, FormatError)})
    except MemoryError:
        say({"error": "out of memory: choose less data, or a smaller model."})


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
