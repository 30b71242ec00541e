"""`wolf-chatbox chat` whose replies are written down beforehand, as a program: `python staged.py REPLIES chat …`.

REPLIES is JSON: the replies of each model by the name of its folder.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from scripted import voice
from wolf_chatbox.cli import main
from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.model import character
from wolf_chatbox.model.light_tokenizer import load_light
from wolf_chatbox.talk import session

SPEAKERS = {"Rick": 5, "Morty": 4, "Beth\u202e\x1b[2J": 2}


def load(folder: Path, *, persona: str | None = None, user: str | None = None, **_: Any) -> character.Character:
    engine = voice(load_light(str(folder), folder), *REPLIES[folder.name], context=4000, speakers=SPEAKERS)
    return character.Character(engine, persona or "Rick", user or "Morty", SamplingConfig(max_new_tokens=500))


if __name__ == "__main__":
    REPLIES = json.loads(sys.argv.pop(1))
    character.load_character = load
    session.load_character = load
    main()
