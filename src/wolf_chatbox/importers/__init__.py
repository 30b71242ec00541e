"""Files in, conversations out. One importer is one module and one row of IMPORTERS.

An importer is `claims(head)`, which looks at the first 64 KiB of decoded text, and `read(source, config, tally)`, which
yields conversations and counts every turn it keeps or drops.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError, FormatError
from wolf_chatbox.importers.chats import (
    discord,
    imessage,
    irc,
    line,
    mail,
    messenger,
    signal,
    slack,
    telegram,
    whatsapp,
)
from wolf_chatbox.importers.corpora import (
    convai2,
    cornell,
    dailydialog,
    empathetic_dialogues,
    messages,
    oasst,
    real_persona_chat,
    topical_chat,
)
from wolf_chatbox.importers.corpora import conversations as jsonl
from wolf_chatbox.importers.corpora import dialogues as dialogue_table
from wolf_chatbox.importers.corpora import raw as classic_raw
from wolf_chatbox.importers.corpora import rows as dataset_rows
from wolf_chatbox.importers.files import EXAMPLE, expand, find
from wolf_chatbox.importers.scripts import screenplay, subtitles
from wolf_chatbox.importers.scripts import script as script_csv
from wolf_chatbox.importers.source import AnyPath, Damaged, Source
from wolf_chatbox.importers.werewolf import aiwolf as aiwolf_log
from wolf_chatbox.importers.werewolf import (
    aiwolf_json,
    fanlang,
    jinro_bbs,
    llmafia,
    mafia_tables,
    onuw,
    werewolf_among_us,
    werewolf_arena,
)

__all__ = ["EXAMPLE", "IMPORTERS", "Importer", "Tally", "find", "read_conversations"]


class Ambiguous(FormatError):
    """Two formats claim a file."""


class Importer(NamedTuple):
    title: str
    claims: Callable[[str], bool]
    read: Callable[[Source, ReadConfig, Tally], Iterator[Conversation]]
    suffixes: tuple[str, ...] = ()
    """Files named so are read by this importer, to say what is wrong with them, when no importer claims their content."""
    joins: bool = False
    """Files of one folder are one chat: `read` gets the first, with the others as its `more`."""
    general: bool = False
    """Its claims are wide: where a special format claims the file as well, that one is meant."""
    beside: str = ""
    """A pattern of the names of files that `read` finds beside a claimed one: they are not passed over."""


IMPORTERS = {
    "script": Importer("script table (CSV, TSV)", script_csv.claims, script_csv.read, (".csv", ".tsv")),
    "dialogues": Importer("table of dialogues (CSV, TSV)", dialogue_table.claims, dialogue_table.read),
    "screenplay": Importer(
        "screenplay (NAME: line, Fountain)", screenplay.claims, screenplay.read, (".fountain",), general=True
    ),
    "subtitles": Importer("subtitles with speakers (SRT, WebVTT)", subtitles.claims, subtitles.read, (".srt", ".vtt")),
    "raw": Importer("classic raw samples", classic_raw.claims, classic_raw.read),
    "conversations": Importer("conversations (JSON Lines)", jsonl.claims, jsonl.read),
    "messages": Importer("messages (OpenAI, ShareGPT, Alpaca)", messages.claims, messages.read, (".json", ".jsonl")),
    "oasst": Importer("OpenAssistant (trees or messages)", oasst.claims, oasst.read),
    "rows": Importer("table of conversations (Parquet, hub)", dataset_rows.claims, dataset_rows.read, (".parquet",)),
    "whatsapp": Importer("WhatsApp chat", whatsapp.claims, whatsapp.read),
    "telegram": Importer("Telegram (JSON)", telegram.claims, telegram.read),
    "discord": Importer("Discord (DiscordChatExporter JSON)", discord.claims, discord.read),
    "slack": Importer("Slack export", slack.claims, slack.read, joins=True, beside=slack.BESIDE),
    "messenger": Importer("Messenger, Instagram (JSON)", messenger.claims, messenger.read, joins=True),
    "line": Importer("LINE chat", line.claims, line.read),
    "signal": Importer("Signal (signal-export)", signal.claims, signal.read),
    "imessage": Importer("iMessage (imessage-exporter)", imessage.claims, imessage.read),
    "irc": Importer("IRC log", irc.claims, irc.read),
    "mail": Importer("mailbox (mbox)", mail.claims, mail.read, (".mbox",)),
    "cornell": Importer("Cornell Movie-Dialogs", cornell.claims, cornell.read),
    "dailydialog": Importer("DailyDialog", dailydialog.claims, dailydialog.read),
    "convai2": Importer("PersonaChat, ConvAI2", convai2.claims, convai2.read),
    "topical_chat": Importer("Topical-Chat", topical_chat.claims, topical_chat.read),
    "empathetic_dialogues": Importer("EmpatheticDialogues", empathetic_dialogues.claims, empathetic_dialogues.read),
    "real_persona_chat": Importer("RealPersonaChat", real_persona_chat.claims, real_persona_chat.read),
    "aiwolf": Importer("AIWolf game log", aiwolf_log.claims, aiwolf_log.read),
    "aiwolf_json": Importer("AIWolf game (JSON, realtime)", aiwolf_json.claims, aiwolf_json.read),
    "llmafia": Importer("LLMafia game", llmafia.claims, llmafia.read, joins=True, beside=llmafia.BESIDE),
    "fanlang": Importer("FanLang game (JSON)", fanlang.claims, fanlang.read),
    "onuw": Importer("One Night transcript (markdown)", onuw.claims, onuw.read),
    "jinro_bbs": Importer("BBS werewolf archive (XML)", jinro_bbs.claims, jinro_bbs.read),
    "werewolf_among_us": Importer("Werewolf Among Us", werewolf_among_us.claims, werewolf_among_us.read),
    "werewolf_arena": Importer("Werewolf Arena game (JSON)", werewolf_arena.claims, werewolf_arena.read),
    "mafia_tables": Importer(
        "Mafia Dataset (node, info and network CSV)", mafia_tables.claims, mafia_tables.read, joins=True
    ),
}


def read_conversations(
    paths: str | Path | Iterable[str | Path], config: ReadConfig | None = None, tally: Tally | None = None
) -> Iterator[Conversation]:
    """Read files of any known format, one after the other, lazily.

    `example` stands for the bundled script. What was kept, dropped and noticed is counted in `tally` as it goes. In a
    folder or an archive, a file that cannot be read is left and told in `tally.unread`, unless `config.strict`. Raises
    DataError for another file that cannot be read, and when no file of a folder can; FormatError for one whose format
    cannot be told.
    """
    config = config or ReadConfig()
    tally = tally if tally is not None else Tally()
    games: dict[object, int] = {}
    for path in [paths] if isinstance(paths, (str, Path)) else paths:
        if str(path).startswith(dataset_rows.HUB):
            tally.formats.append((str(path), "data set of the hub"))
            yield from dataset_rows.read_hub(str(path), config, tally)
            continue
        found, several = expand(find(path))
        whole, before = False, len(tally.unread)
        for name, source in _sources(str(path), found, several, config, tally):
            left = len(tally.unread)
            for conversation in _once(_readable(name, source, config, tally, alone=not several), games, tally):
                whole = True
                yield conversation
            whole = whole or len(tally.unread) == left
        if not whole and len(tally.unread) > before and several:
            raise DataError(f"{path}: no file in it can be read; the first is {tally.unread[before].reason}")


def _readable(name: str, source: Source, config: ReadConfig, tally: Tally, *, alone: bool) -> Iterator[Conversation]:
    """Yield the conversations of a file as far as it can be read; turns of one that does not come whole are dropped."""
    conversations = IMPORTERS[name].read(source, config, tally)
    read = pending = 0
    while True:
        before = tally.kept
        try:
            conversation = next(conversations, None)
        except DataError as error:
            if lost := pending + tally.kept - before:
                tally.drop(lost, "in a conversation that cannot be read to its end")
            tally.leave(source.folder if source.more else source.path, error, read, alone=alone, strict=config.strict)
            return
        if conversation is None:
            return
        pending += tally.kept - before - len(conversation.turns)
        read += len(conversation.turns)
        yield conversation


def _once(conversations: Iterable[Conversation], games: dict[object, int], tally: Tally) -> Iterator[Conversation]:
    """Leave out a game that another file has told, in whatever form: of the same id, or with the same said in it. `games` remembers them."""
    for conversation in conversations:
        game, turns = conversation.game, conversation.turns
        if game is not None:
            said = hash(tuple((turn.speaker, turn.text, turn.channel) for turn in turns))
            keys = [
                (game.source, game.same_as, said),
                *([(game.source, number)] if (number := game.facts.get("game_id")) else []),
            ]
            if any(games.get(key, 0) >= len(turns) for key in keys):
                tally.drop(len(turns), "the same game in another file")
                continue
            games |= dict.fromkeys(keys, len(turns))
        yield conversation


def _sources(
    path: str, found: list[AnyPath], several: bool, config: ReadConfig, tally: Tally
) -> Iterator[tuple[str, Source]]:
    """Yield the files that a name stands for, each with its importer; those of one chat as one.

    In a folder or an archive, files that are no conversations are passed over and told.
    """
    before = len(tally.unread)
    skipped: list[str] = []
    parts: list[Source] = []
    last = ""
    used: set[str] = set()
    for place in found:
        try:
            source = Source.open(place, config.encoding)
            name = config.format if config.format != "auto" else recognise(source, config, alone=not several)
            if several and not IMPORTERS[name].claims(source.head):
                raise FormatError(f"{place}: not of the format {name}.")
        except (Damaged, Ambiguous) as error:
            tally.leave(place, error, 0, alone=not several, strict=config.strict)
            continue
        except DataError:
            if not several:
                raise
            skipped.append(str(place)[len(path) :].lstrip("/\\"))
            continue
        if config.encoding == "auto" and source.encoding == "cp1252":
            tally.notes.append(
                f"{source.path.name}: not UTF-8, read as CP1252; where characters look wrong, pass --encoding"
            )
        used.add(name)
        tally.formats.append((path if not several else str(place), IMPORTERS[name].title))
        if parts and not (name == last and IMPORTERS[name].joins and _folder(parts[0]) == _folder(source)):
            yield last, replace(parts[0], more=tuple(parts[1:]))
            parts = []
        parts.append(source)
        last = name
    patterns = [IMPORTERS[name].beside for name in used]
    skipped = [
        each for each in skipped if not any(re.fullmatch(pattern, each.rpartition("/")[2]) for pattern in patterns)
    ]
    if skipped:
        names = textwrap.shorten(", ".join(skipped), 200, placeholder=" …")
        tally.notes.append(f"{path}: {len(skipped)} files are no conversations of a known format, passed over: {names}")
    if parts:
        yield last, replace(parts[0], more=tuple(parts[1:]))
    elif several and len(tally.unread) == before:
        raise FormatError(f"{path}: no file in it is of a known format of conversations ({', '.join(IMPORTERS)}).")


def _folder(source: Source) -> str:
    return str(source.folder)


def recognise(source: Source, config: ReadConfig, *, alone: bool = True) -> str:
    """The name of the importer that claims the content; raises FormatError when none does, or more than one.

    A file that stands alone is meant to be read: where its content tells nothing, its name does.
    """
    if config.speaker_column or config.text_column:
        whole = not config.speaker_column and dialogue_table.claims(source.head)
        return "rows" if dataset_rows.claims(source.head) else "dialogues" if whole else "script"
    claimed = [name for name, importer in IMPORTERS.items() if importer.claims(source.head)]
    if len(claimed) > 1:
        claimed = [name for name in claimed if not IMPORTERS[name].general]
    if not claimed and alone:
        claimed = [name for name, importer in IMPORTERS.items() if source.path.suffix.lower() in importer.suffixes]
    if len(claimed) == 1:
        return claimed[0]
    if claimed:
        raise Ambiguous(f"{source.path}: could be {' or '.join(claimed)}. Pass --format.")
    raise FormatError(
        f"{source.path}: no known format of conversations ({', '.join(IMPORTERS)}). Pass --format if it is one of them."
    )
