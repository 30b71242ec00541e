"""Time reading chat exports: our importers beside whatstk and chat-miner (WhatsApp), the json module, or bare lines.

    python bench/importers.py

Generates exports of --sizes messages with a fixed seed, and reads each in a process of its own, in turns, --rounds
times. whatstk-told gets the format of the headers, which the others find out. Prints medians: seconds, messages per
second, and the memory beyond the interpreter and its imports.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from exports import JSON, WRITERS

PEERS = {"whatsapp": ("whatstk", "whatstk-told", "chat-miner")}
"""Other readers of a format; a JSON document is read by the json module too, and everything else by lines alone."""


def readers(format: str) -> tuple[str, ...]:
    return ("ours", *PEERS.get(format, ()), "json" if format in JSON else "lines")


def read(format: str, reader: str, path: Path) -> int:
    """Read the file once; the number of messages found."""
    if reader == "ours":
        from wolf_chatbox.importers import read_conversations

        return sum(len(conversation.turns) for conversation in read_conversations(path))
    if reader == "json":
        with path.open(encoding="utf-8") as file:
            json.load(file)
        return 0
    if reader == "lines":
        with path.open(encoding="utf-8") as file:
            return 0 * sum(1 for _ in file)
    if reader in ("whatstk", "whatstk-told"):
        from whatstk import WhatsAppChat

        form = {} if reader == "whatstk" else {"hformat": "%d/%m/%Y, %H:%M - %name:"}
        return len(WhatsAppChat.from_source(str(path), max_size=1 << 40, **form).df)
    from chatminer.chatparsers import WhatsAppParser

    parser = WhatsAppParser(str(path))
    parser.parse_file()
    return len(parser.parsed_messages.get_df())


def imported(reader: str) -> None:
    """What a reader imports, before its clock starts."""
    if reader == "ours":
        import wolf_chatbox.importers  # noqa: F401
    elif reader.startswith("whatstk"):
        import whatstk  # noqa: F401
    elif reader == "chat-miner":
        import chatminer.chatparsers  # noqa: F401


def measure(format: str, reader: str, path: Path) -> dict[str, float]:
    imported(reader)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.perf_counter()
    found = read(format, reader, path)
    seconds = time.perf_counter() - begun
    return {
        "seconds": seconds,
        "messages": found,
        "mib": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--formats", nargs="+", default=list(WRITERS))
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=Path("bench-results"))
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure(args.one[0], args.one[1], Path(args.one[2]))))
        return
    results: dict[str, Any] = {}
    print("| format | messages | reader | seconds | messages/s | memory | ours is faster by |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as place:
        for format in args.formats:
            for size in args.sizes:
                path = Path(place) / "export"
                with path.open("w", encoding="utf-8", newline="") as file:
                    WRITERS[format](file, size)
                results[f"{format} {size}"] = taken = side_by_side(format, path, args.rounds)
                report(format, size, taken)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "importers.json").write_text(json.dumps(results, indent=1))


Taken = dict[str, list[dict[str, float]]]
"""What each reader's rounds took."""


def side_by_side(format: str, path: Path, rounds: int) -> Taken:
    taken: Taken = {reader: [] for reader in readers(format)}
    for _ in range(rounds):
        for reader, measured in taken.items():
            command = [sys.executable, __file__, "--one", format, reader, str(path)]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
            if done.returncode == 0:
                measured.append(json.loads(done.stdout.splitlines()[-1]))
    return taken


def report(format: str, size: int, taken: Taken) -> None:
    ours = statistics.median(measured["seconds"] for measured in taken["ours"])
    for reader, rounds in taken.items():
        if not rounds:
            print(f"| {format} | {size:,} | {reader} | failed | | | |")
            continue
        seconds = statistics.median(measured["seconds"] for measured in rounds)
        memory = max(measured["mib"] for measured in rounds)
        found = int(rounds[0]["messages"])
        note = "" if found in (0, size) else f" (found {found:,})"
        rate = f"{seconds:.2f} | {size / seconds:,.0f} | {memory:.0f} MiB | {seconds / ours:.1f}"
        print(f"| {format} | {size:,}{note} | {reader} | {rate} |", flush=True)


if __name__ == "__main__":
    main()
