"""National identification numbers, validated by python-stdnum.

https://arthurdejong.org/python-stdnum/ . A number counts if its form, its check digits or the words before it make it
certain.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from stdnum.be import nn
from stdnum.br import cpf
from stdnum.ca import sin
from stdnum.ch import ssn as ahv
from stdnum.cn import ric
from stdnum.de import idnr
from stdnum.es import dni, nie
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.in_ import aadhaar
from stdnum.it import codicefiscale
from stdnum.jp import in_
from stdnum.kr import rrn
from stdnum.nl import bsn
from stdnum.no import fodselsnummer
from stdnum.pl import pesel
from stdnum.se import personnummer
from stdnum.us import ssn


class Number(NamedTuple):
    name: str
    pattern: re.Pattern[str]
    check: Callable[[str], bool]
    words: re.Pattern[str] | None = None
    """What must precede it, if form and check digits alone would match too many other numbers."""

    def holds(self, text: str, before: str) -> bool:
        """Whether a candidate is a valid number of this kind."""
        return (self.words is None or self.words.search(before) is not None) and self.check(text)


def _number(name: str, form: str, check: Callable[[str], bool], words: str = "") -> Number:
    whole = rf"(?<![A-Za-z0-9_])(?<!\d[ .,-])(?:{form})(?![A-Za-z0-9_])(?![ .-]\d)"
    return Number(
        name,
        re.compile(whole, re.IGNORECASE),
        check,
        re.compile(rf"(?:{words})\W{{0,4}}\D{{0,12}}$", re.IGNORECASE) if words else None,
    )


NUMBERS = (
    _number("US social security number", r"\d{3}-\d{2}-\d{4}", ssn.is_valid),
    _number("US social security number", r"\d{3}[ .]?\d{2}[ .]?\d{4}", ssn.is_valid, r"\bssn|social security"),
    _number("Japan: My Number", r"\d{4}([ -])\d{4}\1\d{4}", in_.is_valid),
    _number("Japan: My Number", r"\d{12}", in_.is_valid, r"マイナンバー|個人番号|my ?number"),
    _number(
        "China: resident identity number",
        r"\d{17}[\dX]|\d{6}([ -])\d{8}\1\d{3}[\dX]",
        lambda text: ric.is_valid(re.sub(r"[ -]", "", text)),
    ),
    _number("Korea: resident registration number", r"\d{6}-[1-8]\d{6}", rrn.is_valid),
    _number("Germany: tax number", r"\d{2} \d{3} \d{3} \d{3}", idnr.is_valid),
    _number("Germany: tax number", r"\d{11}", idnr.is_valid, r"steuer-?(?:id|identifikationsnummer)|\bidnr|\btin|税"),
    _number("France: NIR", r"[12] ?\d\d ?\d\d ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d", nir.is_valid),
    _number("Italy: codice fiscale", r"[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z]", codicefiscale.is_valid),
    _number("Spain: DNI", r"\d{8}-?[A-Z]", dni.is_valid),
    _number("Spain: NIE", r"[XYZ]-?\d{7}-?[A-Z]", nie.is_valid),
    _number("Brazil: CPF", r"\d{3}\.\d{3}\.\d{3}-\d{2}", cpf.is_valid),
    _number("Switzerland: AHV", r"756\.\d{4}\.\d{4}\.\d{2}|756\d{10}", ahv.is_valid),
    _number("Belgium: national number", r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", nn.is_valid),
    _number("Sweden: personnummer", r"(?:19|20)?\d{6}[-+]\d{4}", personnummer.is_valid),
    _number("Finland: HETU", r"\d{6}[-+A-F]\d{3}[0-9A-Z]", hetu.is_valid),
    _number("Norway: fødselsnummer", r"\d{6} ?\d{5}", fodselsnummer.is_valid, r"f[øo]dselsnummer|personnummer"),
    _number("Poland: PESEL", r"\d{11}", pesel.is_valid, "pesel"),
    _number("Netherlands: BSN", r"\d{9}", bsn.is_valid, r"\bbsn|burgerservicenummer"),
    _number("United Kingdom: NHS number", r"\d{3}[ -]?\d{3}[ -]?\d{4}", nhs.is_valid, r"\bnhs"),
    _number("Canada: SIN", r"\d{3}[ -]?\d{3}[ -]?\d{3}", sin.is_valid, r"\bsin\b|social insurance"),
    _number("India: Aadhaar", r"\d{4}[ -]?\d{4}[ -]?\d{4}", aadhaar.is_valid, "aadha+r|आधार"),
)
