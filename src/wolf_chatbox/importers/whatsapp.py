"""WhatsApp's "Export chat": `12/9/20, 23:55 - Ann: hello` (Android), `[12.09.20, 23:55:01] Ann: hello` (iPhone).

The date's form is the phone's: day, month and year in any order, 12 or 24 hours, many languages. WhatsApp documents the
export, not the form: https://faq.whatsapp.com/1180414079177245; the forms here are those of real exports.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.chats import DELETED, MEDIA, SYSTEM, Message, conversations
from wolf_chatbox.importers.source import Source, Tally, share_of_lines

_HALF = r"[AaPp][\s\u202f]?\.?[\s\u202f]?[Mm]\.?|午前|午後|上午|下午|凌晨|早上|中午|晚上|오전|오후|ÖÖ|ÖS|ص|م"
_MARKS = "[\u200e\u200f\u202a-\u202e\ufeff]*"
_WORD = r"(?:klo|kl\.?|at|um|às|à|alle|ore|om|de)"
HEADER = re.compile(
    rf"{_MARKS}(\[)?"
    r"(\d{1,4})([./-])[ ]?(\d{1,2})\3[ ]?(\d{1,4})\.?"  # the date's three numbers
    rf"[,،]?[\s\u202f](?:{_WORD}\s)?"
    rf"(?:({_HALF})[\s\u202f]?)?(\d{{1,2}})[.:](\d\d)(?:[.:](\d\d))?(?:[\s\u202f]?({_HALF}))?"
    r"(?(1)\][ ]?|[ ][-–][ ]?)"
)
CHUNK = 1 << 20
LONGEST_HEADER = 100
LATE = re.compile(r"[Pp]|午後|下午|晚上|오후|ÖS|م|中午")
EDITED = re.compile(
    r"<(?:This message was edited|Diese Nachricht wurde bearbeitet|Se editó este mensaje\.?|Ce message a été modifié"
    r"|Mensagem editada|Questo messaggio è stato modificato|Dit bericht is bewerkt|Bu mesaj düzenlendi|このメッセージは編集されました)>"
)
MEDIA_BODY = re.compile(
    r"<[^<>]{0,40}(?:omitted|ausgeschlossen|omitido|omis|omesso|weggelaten|utelämnad|utelatt|udeladt|poistettu|pois|oculto|omessi|pominięto"
    r"|исключ|без медиа|含まれていません|dahil edilmedi|省略|생략|已省略|略)[^<>]{0,40}>"
    r"|\u200e?(?:image|photo|video|video note|audio|sticker|GIF|document|Contact card|Bild|Foto|Audio|Sticker|Video|Videonachricht"
    r"|Dokument|Kontaktkarte"
    r"|imagen|vídeo|documento|tarjeta de contacto|vidéo|document|imagem|figurinha|immagine|afbeelding|kuva|画像|動画|ビデオ|スタンプ"
    r"|ステッカー|图片|圖片|视频)"
    r"[ ]?(?:omitted|weggelassen|ausgelassen|omitid[oa]|omise?|omess[oa]|ocult[oa]|weggelaten|jätetty pois|は含まれていません|省略"
    r"|を省略しました|已忽略|已省略)"
    r"|\u200e?<(?:attached|Anhang|adjunto|pièce jointe|anexado|allegato|bijgevoegd|添付ファイル|附件)\s?:[^<>]+>"
    r"|<Media omitted>|\u200e?(?:Missed (?:voice|video) call|Verpasster (?:Sprach|Video)anruf|Llamada perdida|Appel (?:vocal"
    r"|vidéo) manqué|不在着信)[^\n]{0,60}",
    re.IGNORECASE,
)
ATTACHED = re.compile(
    r"\u200e?[^\n]{1,200}\.\w{2,5} \((?:file attached|Datei angehängt|archivo adjunto|fichier joint|arquivo anexado|file allegato|bestand bijgevoegd"
    r"|tiedosto liitetty|ファイル添付|ファイルが添付されています|文件附件)\)"
)
OMITTED = (
    "omitted",
    "gelassen",
    "omitido",
    "omitida",
    "omis",
    "omise",
    "omesso",
    "omessa",
    "oculto",
    "weggelaten",
    "pois",
    "いません",
    "省略",
    "ました",
    "略",
)
"""How a line that stands for a picture or the like ends, where it has no brackets."""
DELETED_BODIES = frozenset(
    [
        *("This message was deleted", "You deleted this message", "Diese Nachricht wurde gelöscht", "Du hast diese Nachricht gelöscht"),
        *("Se eliminó este mensaje", "Eliminaste este mensaje", "Este mensaje fue eliminado", "Ce message a été supprimé"),
        *("Vous avez supprimé ce message", "Esta mensagem foi apagada", "Mensagem apagada", "Você apagou esta mensagem"),
        *("Questo messaggio è stato eliminato", "Hai eliminato questo messaggio", "Dit bericht is verwijderd", "U hebt dit bericht verwijderd"),
        *("Tämä viesti poistettiin", "Poistit tämän viestin", "Bu mesaj silindi", "Данное сообщение удалено"),
        *("このメッセージは削除されました", "メッセージを削除しました", "此訊息已刪除", "此消息已删除"),
    ]
)
HEADS = ("\u200e", "Missed ", "Verpasster ", "Llamada ", "Appel ", "不在着信", "This message was deleted")
TAILS = {each[-3:] for phrase in (*OMITTED, *DELETED_BODIES) for each in (phrase, phrase + ".")}
"""How what nobody said begins and ends: other messages, which are nearly all, are told apart from it at once."""
ENCRYPTED = re.compile(
    r"end-to-end|Ende-zu-Ende|extremo a extremo|bout en bout|ponta a ponta|end-to-end-|päästä päähän|uçtan uca|сквозн|エンドツーエンド"
    r"|端到端|端對端|종단간"
)
NAME = re.compile(r"([^\n]{1,100}?):(?: |$)")
MANY = 3
"""Lines that a name with a colon in it must begin before it is taken for one."""


def claims(head: str) -> bool:
    lines = head.splitlines()[:400]
    marked = [match for line in lines if (match := HEADER.match(line))]
    # A bracket with a year first and no seconds is Signal's; a line without a name may be a system line.
    ours = [match for match in marked if not (match[1] and len(match[2]) == 4 and (match[9] is None or "," not in match[0]))]
    return bool(ours) and share_of_lines(head, HEADER) > 0.1 and bool(HEADER.match(next(line for line in lines if line.strip())))


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the chat, cut where it fell silent. What no member said (joins, media, deleted messages) is counted by its kind."""
    order, told = _date_order(source)
    if not told:
        tally.notes.append(f"{source.path.name}: whether days or months come first cannot be told, read as {order}")
    yield from conversations(_messages(source, order, tally), source.path.stem, config, tally)


def _messages(source: Source, order: str, tally: Tally) -> Iterator[Message]:
    header = _header_of(source)
    names = _names_with_colons(source)
    at = {part: order.index(part) for part in "dmy"}
    days: dict[str, tuple[int, int, int] | None] = {}
    number = 0

    def time_of(match: re.Match[str]) -> datetime | None:
        date, early, hour, minute, seconds, late = match.groups()
        if date not in days:
            numbers = re.findall(r"\d+", date)
            days[date] = _date((numbers[0], numbers[1], numbers[2]), at)
        day = days[date]
        hours, minutes = int(hour), int(minute)
        if half := early or late:
            hours = hours % 12 + (12 if LATE.match(half) and hours <= 12 else 0)
        if day is None or hours > 23 or minutes > 59:
            return None  # a continuation line that begins with something like a date
        return datetime(*day, hours, minutes, min(int(seconds), 59) if seconds else 0)

    # Much faster than line by line: headers are found in large pieces of the file, what stands between them is a message.
    with source.open_text() as file:
        text = file.read(CHUNK).removeprefix("\ufeff")
        time: datetime | None = None
        start = seen = 0
        while True:
            more = file.read(max(CHUNK, len(text)))
            # A header at the very end may be one that goes on in the next piece.
            limit = len(text) if not more else max(0, len(text) - LONGEST_HEADER)
            end = start
            for match in header.finditer(text, seen):
                if match.start() >= limit and more:
                    break
                end = match.end()
                if (found := time_of(match)) is None:
                    continue
                if time is not None:
                    yield _message(text[start : match.start()], time, names, number)
                    number += 1
                elif before := text[: match.start()].strip():
                    tally.dropped["before the first message"] += len(before.splitlines())
                time, start = found, match.end()
            if not more:
                break
            # The message that is not whole yet is kept; what was searched in it is not searched again.
            keep = start if time is not None else 0
            seen = max(limit, end) - keep
            text, start = text[keep:] + more, start - keep
        if time is not None:
            yield _message(text[start:], time, names, number)


def _header_of(source: Source) -> re.Pattern[str]:
    """The pattern of this file's headers: an export writes all its dates in one form; another one was typed, or pasted."""
    first = next((match for line in source.lines() if (match := HEADER.match(line))), None)
    if first is None:
        raise DataError(f"{source.path}: no line of it is the beginning of a WhatsApp message. Pass the right --format.")
    bracket, year, mark, _, third, early, _, _, seconds, late = first.groups()
    mark = re.escape(mark)
    date = rf"(\d{{4}}{mark} ?\d\d?{mark} ?\d\d?)" if len(year) > 2 else rf"(\d\d?{mark} ?\d\d?{mark} ?\d{{{len(third)}}})"
    word = rf"(?:{_WORD}\s)?" if re.search(_WORD, first[0]) else ""
    before = rf"(?:({_HALF})[\s\u202f]?)?" if early else "()"
    after = rf"(?:[\s\u202f]?({_HALF}))?" if late else "()"
    second = r"[.:](\d\d)" if seconds else "()"
    opening, closing = (r"\[", r"\][ ]?") if bracket else ("", "[ ][-–][ ]?")
    return re.compile(rf"^{_MARKS}{opening}{date}\.?[,،]?[\s\u202f]{word}{before}(\d\d?)[.:](\d\d){second}{after}{closing}", re.MULTILINE)


def _message(content: str, time: datetime, names: tuple[str, ...], number: int) -> Message:
    content = content.rstrip()
    colon = content.find(": ", 1, 102)
    if names:  # names that hold a colon
        colon = next((len(name) for name in names if content.startswith(name + ":")), colon)
    if colon < 0:
        # "Ann:" with its text in the lines below, or nowhere
        colon = len(content) - 1 if content.endswith(":") and len(content) < 102 else content.find(":\n", 1, 102)
    speaker = content[:colon]
    if colon < 0 or "\n" in speaker or (number < 5 and ENCRYPTED.search(content[:400])):
        return Message("", content.lstrip("\u200e"), time, SYSTEM)
    if not speaker.isascii() or speaker[0] in "~ ":
        speaker = speaker.strip("\u200e\u202a\u202c~ \u202f\xa0")
    body = content[colon + 1 :].strip(" ")
    if body[-1:] in ">)" or body[-3:] in TAILS or body.startswith(HEADS) or ")\n" in body:
        return _unsaid(speaker, body, time)
    return Message(speaker, body, time)


def _unsaid(speaker: str, body: str, time: datetime) -> Message:
    """A message that may stand for something nobody said, of its kind."""
    if body.endswith(">") and EDITED.fullmatch(body, mark := max(0, body.rfind("<"))):
        body = body[:mark].rstrip("\u200e \n")
    bare = body.strip("\u200e.。 ")
    if bare in DELETED_BODIES or bare.startswith("This message was deleted by"):
        return Message(speaker, bare, time, DELETED)
    if len(body) < 400 and MEDIA_BODY.fullmatch(body):
        return Message(speaker, bare, time, MEDIA)
    if attached := ATTACHED.match(body):
        caption = body[attached.end() :].strip()
        return Message(speaker, caption or attached[0], time, "" if caption else MEDIA)
    if body.startswith("\u200e") and "\n" not in body:
        return Message(speaker, body.strip("\u200e"), time, SYSTEM)  # the mark of what the app wrote itself
    return Message(speaker, body, time)


def _date(parts: tuple[str, str, str], at: dict[str, int]) -> tuple[int, int, int] | None:
    year, month, day = (int(parts[at[part]]) for part in "ymd")
    year += 2000 if year < 100 else 0
    try:
        datetime(year, month, day)
    except ValueError:
        return None  # a continuation line that begins with a number like a date, of another form
    return year, month, day


def _date_order(source: Source) -> tuple[str, bool]:
    """Whether a date is `dmy`, `mdy` or `ymd`, from the whole file, and whether the file tells.

    A number above 12 decides; else the order in which the dates go on without a step back.
    """
    seen: dict[tuple[int, int, int], None] = {}
    twelve = False
    votes: Counter[str] = Counter()
    before = ""
    for line in source.lines():
        match = HEADER.match(line)
        if not match or match[0][:14] == before:
            continue
        before = match[0][:14]
        if len(match[2]) == 4:
            return "ymd", True
        first, second = int(match[2]), int(match[4])
        if first > 31:
            return "ymd", True
        twelve = twelve or bool(match[10])
        votes["dmy"] += 12 < first <= 31 and second <= 12
        votes["mdy"] += 12 < second <= 31 and first <= 12
        if len(seen) < 1000:
            seen[(first, second, int(match[5]))] = None
        if votes.total() >= 20:
            break
    if votes["dmy"] != votes["mdy"]:
        return ("dmy" if votes["dmy"] > votes["mdy"] else "mdy"), True

    def steps_back(order: str) -> int:
        keys = [(year, second, first) if order == "dmy" else (year, first, second) for first, second, year in seen]
        return sum(later < earlier for earlier, later in pairwise(keys))

    back = {order: steps_back(order) for order in ("dmy", "mdy")}
    if back["dmy"] != back["mdy"]:
        return min(back, key=lambda order: back[order]), True
    return ("mdy" if twelve else "dmy"), False


def _names_with_colons(source: Source) -> tuple[str, ...]:
    """Names that hold a colon: beginnings up to a second colon that all messages with that first part share."""
    after: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for line in source.head.splitlines():
        if (header := HEADER.match(line)) and (first := NAME.match(line, header.end())):
            second = NAME.match(line, first.end())
            after[first[1]][second[1] if second else ""] += 1
    return tuple(f"{name}: {rest}" for name, counts in after.items() for rest in counts if rest and len(counts) == 1 and counts[rest] >= MANY)
