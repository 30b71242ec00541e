"""Time reading chat exports: our importers, whatstk and chat-miner (WhatsApp), and the json module (Telegram, Discord).

    python bench/importers.py

Generates exports of --sizes messages with a fixed seed, and reads each in a process of its own, in turns, --rounds
times. whatstk-told gets the format of the headers, which the others find out. Prints medians: seconds, messages per
second, and the memory beyond the interpreter and its imports.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

WORDS = """
boat lake oar sandwich tomorrow never always why not because you we they river rain sun maybe yes no well look there
good night morning swim fish net rope harbour wind sail
""".split()  # noqa: SIM905
NAMES = ("Ann Oar", "Bob Boat", "Carl", "Dora 🛶")
READERS = {
    "whatsapp": ("ours", "whatstk", "whatstk-told", "chat-miner"),
    "telegram": ("ours", "json"),
    "discord": ("ours", "json"),
}


def messages(count: int) -> Any:
    """Times, names and texts; an hour or a day of silence now and then."""
    draw = random.Random(0)
    time = datetime(2015, 1, 1)
    for _ in range(count):
        time += timedelta(seconds=draw.choice((5, 20, 60, 90, 3600) if draw.random() < 0.99 else (86400,)))
        text = " ".join(draw.choices(WORDS, k=draw.randint(1, 18)))
        yield time, draw.choice(NAMES), text + ("\n" + draw.choice(WORDS) if draw.random() < 0.05 else "")


def generate(format: str, count: int, path: Path) -> None:
    """Write an export of so many messages."""
    with path.open("w", encoding="utf-8") as file:
        if format == "whatsapp":
            for time, name, text in messages(count):
                file.write(f"{time:%d/%m/%Y, %H:%M} - {name}: {text}\n")
            return
        head, record = {"telegram": (TELEGRAM, telegram), "discord": (DISCORD, discord)}[format]
        file.write(head)
        for number, (time, name, text) in enumerate(messages(count)):
            line = json.dumps(record(number, time, name, text), ensure_ascii=False)
            file.write((",\n" if number else "") + line)
        file.write("]}\n")


TELEGRAM = '{"name": "Boats", "type": "private_group", "id": 1, "messages": [\n'
DISCORD = '{"guild": {"id": "1", "name": "Harbour"}, "channel": {"id": "2", "name": "boats"}, "messages": [\n'


def telegram(number: int, time: datetime, name: str, text: str) -> dict[str, Any]:
    unix = str(int(time.timestamp()))
    head = {"id": number, "type": "message", "date": time.isoformat(), "date_unixtime": unix, "from": name}
    return head | {"from_id": "user1", "text": text, "text_entities": [{"type": "plain", "text": text}]}


def discord(number: int, time: datetime, name: str, text: str) -> dict[str, Any]:
    author = {"id": "9", "name": name, "discriminator": "0000", "nickname": name}
    author |= {"color": None, "isBot": False, "roles": []}
    head = {"id": str(number), "type": "Default", "timestamp": f"{time.isoformat()}+00:00", "timestampEdited": None}
    head |= {"isPinned": False, "content": text, "author": author}
    return head | {key: [] for key in ("attachments", "embeds", "stickers", "reactions", "mentions")}


def read(format: str, reader: str, path: Path) -> int:
    """Read the file once; the number of messages found."""
    if reader == "ours":
        from wolf_chatbox.importers import read_conversations

        return sum(len(conversation.turns) for conversation in read_conversations(path))
    if reader == "json":
        with path.open(encoding="utf-8") as file:
            return len(json.load(file)["messages"])
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
    parser.add_argument("--formats", nargs="+", default=list(READERS))
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
                generate(format, size, path)
                results[f"{format} {size}"] = taken = side_by_side(format, path, args.rounds)
                report(format, size, taken)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "importers.json").write_text(json.dumps(results, indent=1))


Taken = dict[str, list[dict[str, float]]]
"""What each reader's rounds took."""


def side_by_side(format: str, path: Path, rounds: int) -> Taken:
    taken: Taken = {reader: [] for reader in READERS[format]}
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
        note = "" if found == size else f" (found {found:,})"
        rate = f"{seconds:.2f} | {size / seconds:,.0f} | {memory:.0f} MiB | {seconds / ours:.1f}"
        print(f"| {format} | {size:,}{note} | {reader} | {rate} |", flush=True)


if __name__ == "__main__":
    main()
