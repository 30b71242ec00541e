"""What identifies a person in a text, in many languages: addresses, accounts, coordinates and numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from ipaddress import ip_address
from typing import NamedTuple

from stdnum import iban, luhn, numdb

from wolf_chatbox.data.privacy.national_numbers import NUMBERS

LATIN = r"A-Za-z\u00c0-\u024f\u0370-\u052f"
"""Letters of scripts with spaces between words; next to other letters a number has no space: 電話は090…です."""
BEFORE, AFTER = rf"(?<![{LATIN}\d_])", rf"(?![{LATIN}\d_])"


class Kind(NamedTuple):
    mark: str
    pattern: re.Pattern[str]
    """Finds candidates in the plain text; only its group `it` is replaced, if it has one."""
    holds: Callable[[str, str], bool] = lambda found, before: True
    """Whether a candidate is valid, from its text and the characters before it."""
    ends: re.Pattern[str] | None = None
    """Where a shorter candidate may end: what follows a number may look like a part of it."""
    least: int = 0
    """The fewest digits in a text that has one."""


# Addresses

LABEL = rf"[{LATIN}\d](?:[{LATIN}\d-]{{0,61}}[{LATIN}\d])?"
PATH = rf"[{LATIN}\d\-._~:/?#@!$&*+,;=%]"
ENDING = r"(?<![.,;:!?*_~&-])"
"""Punctuation at the end of an address belongs to the sentence."""
TOP = "com|org|net|edu|gov|info|biz|io|app|dev|xyz|jp|de|uk|fr|ch|nl|cn|ru|eu|kr|tw|hk|pl|cz|se|dk|fi|br|mx|ca|au|nz"
"""Top-level domains that are not words: with them, an address needs neither scheme nor path."""
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
"""What is introduced as an account, if a digit or _ in it shows that it is not a word."""
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
    degrees = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", text)]
    return degrees[0] <= 90 and max(degrees) >= 1


# Numbers

CARD = re.compile(
    rf"{BEFORE}(?<!\d[.,])(?:\d{{4}}([ .-])\d{{4}}\1\d{{4}}\1\d{{4}}(?:\1\d{{3}})?|\d{{4}}([ .-])\d{{6}}\2\d{{4,5}}"
    rf"|\d{{13,19}}){AFTER}"
)
ISSUED = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|35\d{14}"
    r"|6\d{15,18}|50\d{14,17}"
)
"""First digits and lengths of payment card numbers (ISO/IEC 7812)."""
IBAN = re.compile(rf"{BEFORE}[A-Z]{{2}}\d{{2}}(?:[ .-]?[A-Z0-9]){{11,30}}(?![A-Za-z0-9_])", re.IGNORECASE)
GAP = re.compile(r"[ .-]")


def is_card(text: str) -> bool:
    """Whether a text is a payment card number: first digits, length and Luhn's check digit (ISO/IEC 7812-1)."""
    digits = _digits(text)
    return bool(ISSUED.fullmatch(digits)) and luhn.is_valid(digits)


def is_iban(text: str) -> bool:
    """Whether a text is an International Bank Account Number: length in its country and check digits (ISO 13616)."""
    return len(GAP.sub("", text)) == _iban_length(text[:2].upper()) and iban.is_valid(text, check_country=False)


@cache
def _iban_length(country: str) -> int:
    """Checked first because it is fast; 4 for a country without such numbers."""
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
"""With a country code after + or 00, with a leading 0, as in North America, and as Chinese mobile numbers."""
PHONE = re.compile(rf"{BEFORE}(?<!\d[:.,-])(?<!(?<!\d\d\d)\d/)(?:{PHONES}){AFTER}(?!:\d\d(?!\d))(?![-.]\d)")
CALLED = re.compile(
    r"(?:(?<![a-z])(?:tel|phone|ph|mobile|mobil|cell|fax|fon|handy|rufnummer|whatsapp|sms)[a-z]{0,7}"
    r"|(?<![a-z])(?:call|text|ring|reach)\s(?:me|us|him|her|them)\s(?:at|on|under)"
    r"|(?<![a-z])(?:unter|number|nummer)(?:\sis|\sist)?"
    r"|電話|携帯|ケータイ|ファックス|手机|电话|手機|联系方式|号码)(?:番号|号码|號碼)?[\s.:#是为は：]{0,4}"
    rf"(?P<it>\(?\d(?:{JOIN}\d){{6,14}}){AFTER}",
    re.IGNORECASE,
)
"""Any number of seven digits or more, directly after a word for telephone."""
DATE = re.compile(
    r"\d{1,2}\.\d{1,2}\.? ?- ?\d{1,2}\.\d{1,2}\."
    r"|\(?(?:\d{1,2}([./-]) ?\d{1,2}\1 ?(?:19|20)\d\d|(?:19|20)\d\d([./-])\d{1,2}\2\d{1,2})(?!\d)"
)
HOURS = re.compile(r"\d{4}[-./ ]\d{4}|\d\d(?:[-./ ]\d\d){3}")
NO_PHONE = re.compile(
    r"(?:[a-z]{2}\d\d(?: \w{4}){1,7} "  # an account whose check digits are wrong
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
"""In this order: what one kind takes is not available to the next."""
