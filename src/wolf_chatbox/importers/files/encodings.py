"""The encoding that a text seems to be in which is no UTF-8, and which reading as CP1252 garbles."""

from __future__ import annotations

import codecs
import re

KANA = re.compile("[\u3041-\u30ff]")
KOREAN = re.compile("[이다는가을를에의은하고지도네요어아안나그해니서로기있게한사인자]")
CHINESE = re.compile(
    "[的一是不了在人有我他她你们們这這那個个上下大小中來来到說说為为子和地出也時时年得就要以生會会自好嗎吗用可行能]"
)
"""The most frequent characters: any bytes decode into some Korean or Chinese character, but seldom into these."""
USUAL = {
    "cp932": (KANA, 0.2),
    "euc_jp": (KANA, 0.2),
    "euc_kr": (KOREAN, 0.2),
    "gb18030": (CHINESE, 0.06),
    "big5": (CHINESE, 0.06),
}
"""Encodings that files are often in, and characters that a text of them has many of: their share beyond ASCII."""
LEAST = 5
"""Such characters at least: a few are chance."""


def probable(start: bytes) -> str:
    """The East Asian encoding that a text beginning with these bytes is probably in; nothing if in none."""
    for encoding, (usual, share) in USUAL.items():
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(start)
        except UnicodeDecodeError:
            continue
        beyond = [character for character in text if ord(character) > 0x7F]
        if sum(bool(usual.match(character)) for character in beyond) >= max(LEAST, share * len(beyond)):
            return encoding
    return ""
