"""A long fuzz of one importer, guided by coverage (Atheris, https://github.com/google/atheris); not part of the suite.

    pip install atheris
    PYTHONPATH=tests python tests/importers/fuzz_importers.py whatsapp -max_total_time=600

Begins with the importer's fixtures. A crash is anything but our own error; a hang is five seconds for 100 KB.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["wolf_chatbox.importers"]):
    from test_fuzz import SEEDS, check


def main() -> None:
    name, *flags = sys.argv[1:]
    with tempfile.TemporaryDirectory() as place:
        corpus = Path(place) / "corpus"
        corpus.mkdir()
        for number, seed in enumerate(SEEDS[name]):
            (corpus / f"{number}").write_bytes(seed)
        file = Path(place) / "file"
        atheris.Setup(
            [sys.argv[0], str(corpus), "-max_len=100000", "-timeout=5", *flags],
            lambda content: check(file, content, name),
        )
        atheris.Fuzz()


if __name__ == "__main__":
    main()
