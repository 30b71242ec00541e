"""Marks in place of what leads to a person: addresses, handles, numbers of telephones, cards, accounts and states."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from functools import cache
from ipaddress import ip_address
from typing import NamedTuple

from stdnum import iban, luhn, numdb

from wolf_chatbox.conversation import Conversation, folded
from wolf_chatbox.data.privacy.national_numbers import NUMBERS

LATIN = r"A-Za-z\u00c0-\u024f\u0370-\u052f"
"""Letters of scripts with spaces between words; beside others a number stands without one: 電話は090…です."""
BEFORE, AFTER = rf"(?<![{LATIN}\d_])", rf"(?![{LATIN}\d_])"
PROMISING = re.compile(rf"[\d@＠．]|[{LATIN}\d]\.[A-Za-z]|://|u/|[：:は]", re.IGNORECASE)
"""A text without any of these holds nothing to find."""
DIGIT = re.compile(r"\d")
TAKEN = "\0"
"""Stands in the plain text where something was found."""


class _Plain(dict[int, str]):
    """Characters as the patterns know them, one for one: ASCII's digits, hyphen, space and full-width signs."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category = unicodedata.category(character)
        if character == TAKEN or category in ("Zs", "Cf"):
            plain = " " if character != "\u00ad" else "-"
        elif category == "Pd" or character == "\u2212":
            plain = "-"
        elif category == "Nd":
            plain = str(unicodedata.decimal(character))
        elif 0xFF01 <= code <= 0xFF5E and character not in "！，；？":  # those end a sentence
            plain = chr(code - 0xFEE0)
        else:
            plain = "." if character in "・·" else character
        self[code] = plain
        return plain


PLAIN = _Plain()
LONG = re.compile(r"(?<=\d)[ー一](?=\d)")
"""Signs that are written for a hyphen, but only between digits."""


class Kind(NamedTuple):
    mark: str
    pattern: re.Pattern[str]
    """Finds candidates in the plain text; where it has a group `it`, that is what goes."""
    holds: Callable[[str, str], bool] = lambda found, before: True
    """Whether a candidate is one, by itself and by the characters before it."""
    ends: re.Pattern[str] | None = None
    """Where a candidate may end before its end: what follows a number may look like more of it."""
    least: int = 0
    """Digits without which a text has none."""


def scrub(text: str, found: Counter[str], names: Collection[str] = ()) -> str:
    """The text with marks such as [email] in place of what leads to people; they are counted by kind in `found`.

    `names` are words of the speakers' names, folded: an @ before one makes no handle.
    """
    if not PROMISING.search(text):
        return text
    plain = LONG.sub("-", text.translate(PLAIN))
    everything: list[tuple[int, int, str]] = []
    digits = len(DIGIT.findall(plain))
    for kind in KINDS:
        if digits < kind.least:
            continue
        spans = [
            each
            for each in _find(kind, plain)
            if kind.mark != "handle" or folded(plain[slice(*each)].lstrip("@")) not in names
        ]
        if spans:
            plain = _replaced(plain, [(start, end, TAKEN * (end - start)) for start, end in spans])
            everything += [(start, end, f"[{kind.mark}]") for start, end in spans]
            found[kind.mark] += len(spans)
    return _replaced(text, sorted(everything))


class Scrubber:
    """Scrubs conversations: the texts, and names of speakers and groups that are numbers or addresses themselves."""

    def __init__(self, found: Counter[str]) -> None:
        self.found = found
        self._names: dict[str, str] = {}
        self._marked: Counter[str] = Counter()

    def scrub(self, conversation: Conversation) -> Conversation:
        """The conversation without them; two speakers stay two: [phone] and [phone] 2."""
        names = frozenset(word for name in map(folded, conversation.names()) for word in (name, *name.split()))

        def change(text: str) -> str:
            return scrub(text, self.found, names)

        game = conversation.game and conversation.game.changed(self._named, change)
        game = game and replace(game, same_as=self._named(game.same_as))
        turns = tuple(
            turn._replace(speaker=self._named(turn.speaker), text=change(turn.text)) for turn in conversation.turns
        )
        return replace(conversation, turns=turns, group=self._named(conversation.group), game=game)

    def _named(self, name: str) -> str:
        if name not in self._names:
            marked = scrub(name, self.found)
            self._marked[marked] += marked != name
            self._names[name] = (
                f"{marked} {self._marked[marked]}" if self._marked[marked] > 1 and marked != name else marked
            )
        return self._names[name]


def _find(kind: Kind, plain: str) -> Iterator[tuple[int, int]]:
    at = 0
    while match := kind.pattern.search(plain, at):
        start, end = match.span("it" if "it" in kind.pattern.groupindex else 0)
        before = plain[max(0, start - 40) : start]
        shorter = [start + cut.start() for cut in kind.ends.finditer(plain[start:end])] if kind.ends else []
        cuts = [end, *reversed(shorter)]
        holding = next((cut for cut in cuts if kind.holds(plain[start:cut], before)), None)
        if holding is not None:
            yield start, holding
        # What is no number as a whole may hold one: the search goes on behind its first part.
        at = max(match.start() + 1, holding if holding is not None else cuts[-1])


def _replaced(text: str, spans: list[tuple[int, int, str]]) -> str:
    parts, at = [], 0
    for start, end, new in spans:
        parts += [text[at:start], new]
        at = end
    return "".join([*parts, text[at:]])


# Addresses

LABEL = rf"[{LATIN}\d](?:[{LATIN}\d-]{{0,61}}[{LATIN}\d])?"
PATH = rf"[{LATIN}\d\-._~:/?#@!$&*+,;=%]"
ENDING = r"(?<![.,;:!?*_~&-])"
"""What stands at the end of an address is the sentence's."""
TOP = "com|org|net|edu|gov|info|biz|io|app|dev|xyz|jp|de|uk|fr|ch|nl|cn|ru|eu|kr|tw|hk|pl|cz|se|dk|fi|br|mx|ca|au|nz"
"""Ends of addresses that are no words: with them, an address needs neither scheme nor path."""
TOP_WITH_PATH = "[a-z]{2}|link|page|site|online|club|shop|blog|chat|live|tech|cloud|wiki|gle"
URL = re.compile(
    rf"(?:(?<![A-Za-z])(?:https?|ftp)://|{BEFORE}(?<![.@-])www\.){PATH}{{2,2000}}{ENDING}",
    re.IGNORECASE,
)
BARE_URL = re.compile(
    rf"{BEFORE}(?<![.@/-])(?:{LABEL}\.){{1,6}}"
    rf"(?:(?:{TOP})(?![{LATIN}\d_@-])(?!\.[{LATIN}\d])(?::\d{{1,5}}(?!\d))?(?:/{PATH}{{0,2000}})?"
    rf"|(?:{TOP_WITH_PATH})(?::\d{{1,5}})?/{PATH}{{1,2000}}){ENDING}",
    re.IGNORECASE,
)
EMAIL = re.compile(
    rf"(?<![{LATIN}\d_.+%'-])[{LATIN}\d_.+%'-]{{1,64}}@(?:{LABEL}\.){{1,8}}[{LATIN}]{{2,24}}{AFTER}",
    re.IGNORECASE,
)
NO_HANDLES = (
    "everyone|here|channel|all|home|work|gmail|media|import|keyframes|property|staticmethod|classmethod|dataclass"
    rf"|override|param|returns?|throws|[A-Za-z0-9-]+\.(?:{TOP})"
)
HANDLE = re.compile(
    rf"(?<![{LATIN}\d_.@/])@(?!(?:{NO_HANDLES}){AFTER})"
    rf"(?:[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+){{0,3}}|\d{{8,15}}){AFTER}(?!/)"
    rf"|{BEFORE}(?<![/.])/?u/[A-Za-z0-9_-]{{3,20}}{AFTER}",
    re.IGNORECASE,
)
ACCOUNT = re.compile(
    rf"{BEFORE}(?:line|user\s?(?:name|id)|benutzername|insta(?:gram)?|ig|telegram|snap(?:chat)?|discord|skype|twitter"
    r"|tiktok|steam|wechat|微信号?|微博|抖音号?|QQ号?|ID|インスタ|ライン|ユーザー名|アカウント)(?:\s?(?:id|name|名|号))?"
    rf"\s?(?:[:：=]|は|是|为|ist|is)\s?(?P<it>(?=[A-Za-z_.]*[\d_])[A-Za-z_][A-Za-z0-9_.]{{2,31}}){AFTER}",
    re.IGNORECASE,
)
"""What is called an account, where a digit or _ in it shows that it is no word."""
IP = re.compile(
    rf"{BEFORE}(?<!\d\.)(?<![:.])(?:(?:\d{{1,3}}\.){{3}}\d{{1,3}}(?!\.?\d)"
    rf"|[0-9a-f]{{0,4}}(?::[0-9a-f]{{0,4}}){{2,7}}(?:(?<=:)(?:\d{{1,3}}\.){{3}}\d{{1,3}})?(?![:\d])){AFTER}",
    re.IGNORECASE,
)
VERSION = re.compile(
    r"(?:\b(?:version|ver|v|release|build|firmware|section|chapter|kapitel|abschnitt)|§|バージョン|版本)\.?\s?$",
    re.IGNORECASE,
)


def _is_ip(text: str, before: str) -> bool:
    if ":" not in text and VERSION.search(before):
        return False
    if "::" in text and text.count(":") < 4 and not re.match(r"[0-9a-f]{3,4}:", text, re.IGNORECASE):
        return False  # std::vector, 12::30
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or text.startswith("255.255."))


# Places

DEGREES = r"\d{1,3}\s?°\s?[\d.]{1,8}\s?['′]\s?(?:[\d.]{1,8}\s?[\"″]\s?)?"
ARC = r"\s?\d{1,3}(?:\.\d{1,15})?度(?:\s?\d{1,2}分)?(?:\s?[\d.]{1,8}秒)?"
COORDINATES = re.compile(
    rf"{BEFORE}(?<![\d.]-)(?<!\d\.)"
    r"(?:-?\d{1,2}\.\d{4,15}\s?[,;、，]\s?-?\d{1,3}\.\d{4,15}(?!\.?\d)"
    r"|-?\d{1,2}\.\d{5,15}\s-?\d{1,3}\.\d{5,15}(?!\.?\d)"
    rf"|\d{{1,2}}(?:\.\d{{2,15}})?\s?°?\s?[NS]\s?[,;/、]?\s?\d{{1,3}}\.\d{{2,15}}\s?°?\s?[EWO]{AFTER}"
    rf"|{DEGREES}[NS][\s,]{{0,3}}{DEGREES}[EWO]{AFTER}"
    rf"|[北南][緯纬]{ARC}[\s、,，]{{0,2}}[東东西][経经]{ARC})"
)


def _on_earth(text: str, before: str) -> bool:
    degrees = [float(each) for each in re.findall(r"\d+(?:\.\d+)?", text)]
    return degrees[0] <= 90 and max(degrees) >= 1


# Numbers

CARD = re.compile(
    rf"{BEFORE}(?<!\d[.,])(?:\d{{4}}([ .-])\d{{4}}\1\d{{4}}\1\d{{4}}(?:\1\d{{3}})?|\d{{4}}([ .-])\d{{6}}\2\d{{4,5}}"
    rf"|\d{{13,19}}){AFTER}"
)
ISSUED = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|35\d{14}|6\d{15,18}|50\d{14,17}"
)
"""How payment cards begin, and how long they then are (ISO/IEC 7812)."""
IBAN = re.compile(rf"{BEFORE}[A-Z]{{2}}\d{{2}}(?:[ .-]?[A-Z0-9]){{11,30}}(?![A-Za-z0-9_])", re.IGNORECASE)
GAP = re.compile(r"[ .-]")


def is_card(text: str) -> bool:
    """Whether a text is a payment card's number: as long as its beginning says, with Luhn's check digit (ISO/IEC 7812-1)."""
    digits = _digits(text)
    return bool(ISSUED.fullmatch(digits)) and luhn.is_valid(digits)


def is_iban(text: str) -> bool:
    """Whether a text is an International Bank Account Number: its country's form, and the remainder of 97 (ISO 13616)."""
    return len(GAP.sub("", text)) == _iban_length(text[:2].upper()) and iban.is_valid(text, check_country=False)


@cache
def _iban_length(country: str) -> int:
    """Looked at first, as it is quickly told; 4 where a country has no such numbers."""
    [(_, about), *_] = numdb.get("iban").info(country)
    return 4 + sum(map(int, re.findall(r"\d+", about.get("bban", ""))))


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


JOIN = r"[ ().\-/]{0,3}"
PHONES = "|".join(
    (
        rf"\(?\+{JOIN}(?:1{JOIN}[2-9](?:{JOIN}\d){{9}}|[2-9](?:{JOIN}\d){{7,14}})",
        rf"\(?00 ?[1-9](?:{JOIN}\d){{7,14}}",
        rf"\(?0[1-9](?:{JOIN}\d){{6,10}}",
        r"(?:1[-. ])?(?:\([2-9]\d\d\)|[2-9]\d\d)[-. /]{1,2}\d{3}[-. ]\d{4}",
        r"1[3-9]\d(?P<join>[- ]?)\d{4}(?P=join)\d{4}",
    )
)
"""With a country's code after + or 00, with a leading 0, as in North America, and of China's mobiles."""
PHONE = re.compile(rf"{BEFORE}(?<!\d[:.,-])(?<!(?<!\d\d\d)\d/)(?:{PHONES}){AFTER}(?!:\d\d(?!\d))(?![-.]\d)")
CALLED = re.compile(
    r"(?:(?<![a-z])(?:tel|phone|ph|mobile|mobil|cell|fax|fon|handy|rufnummer|whatsapp|sms)[a-z]{0,7}"
    r"|(?<![a-z])(?:call|text|ring|reach)\s(?:me|us|him|her|them)\s(?:at|on|under)"
    r"|(?<![a-z])(?:unter|number|nummer)(?:\sis|\sist)?"
    r"|電話|携帯|ケータイ|ファックス|手机|电话|手機|联系方式|号码)(?:番号|号码|號碼)?[\s.:#是为は：]{0,4}"
    rf"(?P<it>\(?\d(?:{JOIN}\d){{6,14}}){AFTER}",
    re.IGNORECASE,
)
"""Any number of seven digits or more, right behind a word for the telephone."""
DATE = re.compile(
    r"\d{1,2}\.\d{1,2}\.? ?- ?\d{1,2}\.\d{1,2}\."
    r"|\(?(?:\d{1,2}([./-]) ?\d{1,2}\1 ?(?:19|20)\d\d|(?:19|20)\d\d([./-])\d{1,2}\2\d{1,2})(?!\d)"
)
HOURS = re.compile(r"\d{4}[-./ ]\d{4}|\d\d(?:[-./ ]\d\d){3}")
NO_PHONE = re.compile(
    r"(?:[a-z]{2}\d\d(?: \w{4}){1,7} "  # an account that does not check
    r"|(?:isbn|order|bestellung|invoice|rechnung|ticket|tracking|iso|注文番号|订单号?|快递单号|伝票番号)[\w\s.:#-]{0,12})$",
    re.IGNORECASE,
)


def _is_phone(text: str, before: str) -> bool:
    if DATE.match(text) or HOURS.fullmatch(text) or NO_PHONE.search(before):
        return False
    return len(_digits(text)) >= (8 if re.search(r"\D", text) else 9)


KINDS = (
    Kind("url", URL),
    Kind("email", EMAIL),
    Kind("url", BARE_URL),
    Kind("handle", HANDLE),
    Kind("handle", ACCOUNT),
    Kind("ip", IP, _is_ip, least=1),
    Kind("iban", IBAN, lambda text, _: is_iban(text), GAP, least=7),
    *(Kind("id", number.pattern, number.holds, least=7) for number in NUMBERS),
    Kind("card", CARD, lambda text, _: is_card(text), least=13),
    Kind("coordinates", COORDINATES, _on_earth, least=4),
    Kind("phone", PHONE, _is_phone, re.compile(r"[ /]"), least=8),
    Kind("phone", CALLED, lambda text, _: not DATE.match(text), least=7),
)
"""What is looked for, in this order: what one kind takes is not there for the next."""
