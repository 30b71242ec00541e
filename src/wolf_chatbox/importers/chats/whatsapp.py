"""WhatsApp's "Export chat": `12/9/20, 23:55 - Ann: hello` (Android), `[12.09.20, 23:55:01] Ann: hello` (iPhone).

The date's form is the phone's: day, month and year in any order, 12 or 24 hours, many languages. WhatsApp documents the
export, not the form: https://faq.whatsapp.com/1180414079177245; the forms here are those of real exports.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.messages import DELETED, MEDIA, SYSTEM, Message, conversations
from wolf_chatbox.importers.source import Source, share_of_lines

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
LATE = re.compile(r"[Pp]|午後|下午|晚上|오후|ÖS|م|中午")
EDITED = re.compile(
    r"<[^<>\n]{0,40}(?:edit|édit|bearbeitet|modifi|bewerkt|düzenlen|измен|відредаг|redig|muokat|szerkeszt|uprav|edytow|編集|編輯|编辑|수정"
    r"|تعديل|נערכ)[^<>\n]{0,40}>"
)
MEDIA_BODY = re.compile(
    # In angle brackets, whatever the language: all of them name the medium, or say that something was left out.
    r"<[^<>\n]{0,40}(?:m[eéè]d[iy]|mídia|меди|медіа|μέσ|מדיה|وسائط|رسانه|मीडिया|মিডিয়া|미디어|メディア|媒體|媒体|สื่อ"
    r"|omitted|omitido|omis|omesso|weggelaten|oculto|poistettu|省略|略)[^<>\n]{0,40}>"
    r"|\u200e?(?:image|photo|video|video note|audio|sticker|GIF|document|Contact card|Bild|Foto|Audio|Sticker|Video|Videonachricht"
    r"|Dokument|Kontaktkarte"
    r"|imagen|vídeo|documento|tarjeta de contacto|vidéo|document|imagem|figurinha|immagine|afbeelding|kuva|画像|動画|ビデオ|スタンプ"
    r"|ステッカー|图片|圖片|视频)"
    r"[ ]?(?:omitted|weggelassen|ausgelassen|omitid[oa]|omise?|omess[oa]|ocult[oa]|weggelaten|jätetty pois|は含まれていません|省略"
    r"|を省略しました|已忽略|已省略)"
    r"|\u200e?<(?:attached|Anhang|adjunto|pièce jointe|anexado|allegato|bijgevoegd|添付ファイル|附件)\s?:[^<>]+>"
    r"|\u200e?(?:Missed (?:voice|video) call|Verpasster (?:Sprach|Video)anruf|Llamada perdida|Appel (?:vocal"
    r"|vidéo) manqué|不在着信)[^\n]{0,60}|(?:Voice|Video) call, (?:\d[^\n]{0,20}|No answer)"
    r"|null|Waiting for this message\. This may take a while\.?",
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
        *(
            "This message was deleted",
            "You deleted this message",
            "Diese Nachricht wurde gelöscht",
            "Du hast diese Nachricht gelöscht",
        ),
        *(
            "Se eliminó este mensaje",
            "Eliminaste este mensaje",
            "Este mensaje fue eliminado",
            "Ce message a été supprimé",
        ),
        *(
            "Vous avez supprimé ce message",
            "Esta mensagem foi apagada",
            "Mensagem apagada",
            "Você apagou esta mensagem",
        ),
        *(
            "Questo messaggio è stato eliminato",
            "Hai eliminato questo messaggio",
            "Dit bericht is verwijderd",
            "U hebt dit bericht verwijderd",
        ),
        *("Tämä viesti poistettiin", "Poistit tämän viestin", "Bu mesaj silindi", "Данное сообщение удалено"),
        *(
            "このメッセージは削除されました",
            "メッセージを削除しました",
            "此訊息已刪除",
            "你已刪除此訊息",
            "您已刪除此訊息",
        ),
        *("此消息已删除", "你删除了这条消息", "您删除了这条消息", "삭제된 메시지입니다", "이 메시지는 삭제되었습니다"),
        *(
            "Bu mesajı sildiniz",
            "Вы удалили данное сообщение",
            "Це повідомлення видалено",
            "Ви видалили це повідомлення",
        ),
        *("Ta wiadomość została usunięta", "Tato zpráva byla odstraněna", "Üzenet törölve", "Acest mesaj a fost șters"),
        *(
            "Detta meddelande har raderats",
            "Meddelandet raderades",
            "Denne besked blev slettet",
            "Denne meldingen ble slettet",
        ),
        *("Pesan ini dihapus", "Pesan ini telah dihapus", "Anda menghapus pesan ini", "Anda telah menghapus pesan ini"),
        *("Αυτό το μήνυμα διαγράφηκε", "הודעה זו נמחקה", "מחקת הודעה זו", "تم حذف هذه الرسالة", "لقد حذفت هذه الرسالة"),
    ]
)
MARK = "\u200e"
"""What stands before a text that the app wrote itself."""
HEADS = {"Miss", "Voic", "Vide", "Verp", "Llam", "Appe", "不在着信", "This", "Wait", "null"}
TAILS = {each[-3:] for phrase in (*OMITTED, *DELETED_BODIES) for each in (phrase, phrase + ".", phrase + "。")}
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
    # `[2024-05-01, 18:30]` and `[2024-05-01 18:30:00]` are Signal's; a line without a name may be a system line.
    ours = [
        match
        for match in marked
        if not (match[1] and len(match[2]) == 4 and match[3] == "-" and (match[9] is None or "," not in match[0]))
    ]
    return (
        bool(ours)
        and share_of_lines(head, HEADER) > 0.1
        and bool(HEADER.match(next(line for line in lines if line.strip())))
    )


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
    days: dict[str, datetime | None] = {}
    clocks: dict[str, timedelta | None] = {}
    time: datetime | None = None
    body: list[str] = []
    number = 0
    # Much faster than line by line: large pieces of the file are split at the headers.
    for lead, pieces in _pieces(source, header):
        if time is None and lead.strip():
            tally.dropped["before the first message"] += len(lead.strip().splitlines())
        for head, date, clock, text in zip(*[iter(pieces)] * 4):
            if date not in days:
                days[date] = _day(date, at)
            if clock not in clocks:
                clocks[clock] = _clock(clock)
            day, hours = days[date], clocks[clock]
            if day is None or hours is None:  # a line of a message that begins with something like a date
                if time is None:
                    tally.dropped["before the first message"] += 1
                body.append(f"{head}{text}")
                continue
            if time is not None:
                yield _message("\n".join(body), time, names, number)
                number += 1
            time, body = day + hours, [text]
    if time is not None:
        yield _message("\n".join(body), time, names, number)


def _pieces(source: Source, header: re.Pattern[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield what comes before the first header, and header, date, time and text of whole messages, in large pieces of the file."""
    with source.open_text() as file:
        rest = "\n" + file.read(CHUNK).removeprefix("\ufeff")
        while True:
            more = file.read(max(CHUNK, len(rest)))
            lead, *pieces = header.split(rest)
            if not more:
                yield lead, pieces
                return
            # The last message may go on in the next piece.
            yield lead if pieces else "", pieces[:-4]
            rest = f"\n{pieces[-4]}{pieces[-1]}{more}" if pieces else lead + more


def _header_of(source: Source) -> re.Pattern[str]:
    """The pattern of this file's headers: an export writes all its dates in one form; another one was typed, or pasted.

    Its groups are the whole header, the date and the time.
    """
    first = next((match for line in source.lines() if (match := HEADER.match(line))), None)
    if first is None:
        raise DataError(
            f"{source.path}: no line of it is the beginning of a WhatsApp message. Pass the right --format."
        )
    bracket, year, mark, _, third, early, _, _, seconds, late = first.groups()
    mark = re.escape(mark)
    date = rf"\d{{4}}{mark} ?\d\d?{mark} ?\d\d?" if len(year) > 2 else rf"\d\d?{mark} ?\d\d?{mark} ?\d{{{len(third)}}}"
    word = rf"(?:{_WORD}\s)?" if re.search(_WORD, first[0]) else ""
    before = rf"(?:(?:{_HALF})[\s\u202f]?)?" if early else ""
    after = rf"(?:[\s\u202f]?(?:{_HALF}))?" if late else ""
    second = r"[.:]\d\d" if seconds else ""
    opening, closing = (r"\[", r"\][ ]?") if bracket else ("", "[ ][-–][ ]?")
    clock = rf"{before}\d\d?[.:]\d\d{second}{after}"
    # Begun with a line end, not with ^: the search for one character is the fastest there is.
    return re.compile(rf"\n({_MARKS}{opening}({date})\.?[,،]?[\s\u202f]{word}({clock}){closing})")


def _message(content: str, time: datetime, names: tuple[str, ...], number: int) -> Message:
    content = content.rstrip()
    colon = content.find(": ", 1, 102)
    if names:  # names that hold a colon
        colon = next((len(name) for name in names if content.startswith(name + ":")), colon)
    if colon < 0:
        # "Ann:" with its text in the lines below, or nowhere
        colon = len(content) - 1 if content.endswith(":") and len(content) < 102 else content.find(":\n", 1, 102)
    speaker = content[:colon]
    plain = speaker.isascii() and '"' not in speaker
    if (
        colon < 0
        or "\n" in speaker
        or not (plain or _is_name(speaker))
        or (number < 5 and ENCRYPTED.search(content[:400]))
    ):
        return Message("", content.lstrip("\u200e"), time, SYSTEM)
    if not plain or speaker[:1] in "~ ":
        speaker = speaker.strip("\u200e\u202a\u202c~ \u202f\xa0")
    body = content[colon + 1 :].strip(" ")
    if body[-1:] in ">)" or body[-3:] in TAILS or body[:4] in HEADS or MARK in body or ")\n" in body:
        return _unsaid(speaker, body, time)
    return Message(speaker, body, time)


def _is_name(speaker: str) -> bool:
    """Whether what stands before a colon is a name, and not `Ann changed the subject to “Boats`."""
    return speaker.count('"') % 2 == 0 and all(
        speaker.count(opening) <= speaker.count(closing) for opening, closing in ("“”", "„“", "«»", "「」")
    )


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
    caption, marked, rest = body.rpartition(MARK)
    if marked and caption and MEDIA_BODY.fullmatch(rest):  # `look ‎image omitted`, `list.pdf • ‎3 pages ‎document omitted`
        caption = "" if "•" in caption else caption.replace(MARK, "").strip()
        return Message(speaker, caption or rest, time, "" if caption else MEDIA)
    if body.startswith(MARK) and "\n" not in body:
        return Message(speaker, body.strip(MARK), time, SYSTEM)
    return Message(speaker, body.replace(MARK, ""), time)


def _day(date: str, at: dict[str, int]) -> datetime | None:
    numbers = [int(each) for each in re.findall(r"\d+", date)]
    year, month, day = (numbers[at[part]] for part in "ymd")
    try:
        return datetime(year + 2000 if year < 100 else year, month, day)
    except ValueError:
        return None


def _clock(clock: str) -> timedelta | None:
    hours, minutes, seconds = (*(int(each) for each in re.findall(r"\d+", clock)), 0)[:3]
    if half := re.search(_HALF, clock):
        hours = hours % 12 + (12 if LATE.match(half[0]) and hours <= 12 else 0)
    return timedelta(hours=hours, minutes=minutes, seconds=min(seconds, 59)) if hours < 24 and minutes < 60 else None


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
    return tuple(
        f"{name}: {rest}"
        for name, counts in after.items()
        for rest in counts
        if rest and len(counts) == 1 and counts[rest] >= MANY
    )


FORMAT = Format(
    title="WhatsApp chat",
    documentation="https://faq.whatsapp.com/1180414079177245",
    export="in the chat: ⋮ or the name → Export chat → Without media",
    notes=(
        "Android and iPhone, every date order, 12 and 24 hours. The whole file decides whether the day or the month "
        "comes first; a note reports when nothing tells. Captions are kept; the mark of an edited message is removed"
    ),
    claims=claims,
    read=read,
)
