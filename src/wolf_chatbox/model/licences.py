"""The licences of base models, and what they ask of whoever passes on a model made from one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

NOTICE = "NOTICE"
TEXTS = ("LICENSE*", "LICENCE*", NOTICE, "*TERMS*", "USE_POLICY*")
"""The files beside a base model that stay beside what is made from it."""


class Licence(NamedTuple):
    """A licence by the name that the hub has for it."""

    id: str
    name: str
    short: str
    address: str = ""
    notice: str = ""
    """What the licence wants to be said, in its own words, in a file NOTICE; empty where it wants no such thing."""
    conditions: tuple[str, ...] = ()
    """What it asks, in a few words each; the text at `address` is what counts."""
    agreed_first: bool = False
    """Whether a user agrees to it before the model is fetched."""

    def record(self) -> dict[str, str]:
        """What run.json says of it."""
        return {"id": self.id, "name": self.name, "address": self.address}


APACHE = Licence("apache-2.0", "Apache License 2.0", "Apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0")
MIT = Licence("mit", "MIT License", "MIT", "https://opensource.org/license/mit")
GEMMA = Licence(
    "gemma",
    "Gemma Terms of Use",
    "Gemma",
    "https://ai.google.dev/gemma/terms",
    "Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms",
    (
        "Its use is restricted by section 3.2 of the terms and by the Gemma Prohibited Use Policy "
        "(https://ai.google.dev/gemma/prohibited_use_policy).",
        "A model trained from it is a Model Derivative: the same terms apply to it.",
        "Whoever passes on either passes on these restrictions, a copy of the terms and the file NOTICE, and says that "
        "it was changed.",
    ),
    agreed_first=True,
)
LLAMA = Licence(
    "llama3.2",
    "Llama 3.2 Community License",
    "Llama 3.2",
    "https://www.llama.com/llama3_2/license/",
    "Llama 3.2 is licensed under the Llama 3.2 Community License, "
    "Copyright © Meta Platforms, Inc. All Rights Reserved.",
    (
        "Its use is restricted by the Llama 3.2 Acceptable Use Policy (https://www.llama.com/llama3_2/use-policy/).",
        "Whoever passes on a model trained from it shows «Built with Llama», lets its name begin with Llama, and "
        "passes on a copy of the licence and the file NOTICE.",
    ),
)
LICENCES = {licence.id: licence for licence in (APACHE, MIT, GEMMA, LLAMA)}


def licence_of(record: Mapping[str, Any] | None) -> Licence | None:
    """The licence that a run's record names; None where it names none that is known here."""
    named = (record or {}).get("licence")
    return LICENCES.get(str(named.get("id"))) if isinstance(named, Mapping) else None


def texts_in(folder: Path) -> Iterator[Path]:
    """The licence files in a folder."""
    yield from sorted({path for pattern in TEXTS for path in folder.glob(pattern) if path.is_file()})


def write_texts(source: Path, place: Path, licence: Licence | None) -> None:
    """Put the licence files of a base model beside what was made from it, and the notice that its licence asks for."""
    for path in texts_in(source):
        shutil.copy2(path, place / path.name)
    if licence is not None and licence.notice and not (place / NOTICE).exists():
        (place / NOTICE).write_text(licence.notice + "\n", encoding="utf-8")
