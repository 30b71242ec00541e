"""The roles that players claim to have, found by the usual phrases of English and Japanese.

The phrases are counted, not understood: a claim in other words is missed; irony and quotations count as claims.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

ENGLISH: dict[str, str] = {
    "SEER": r"seer|fortune[- ]?teller",
    "MEDIUM": r"medium",
    "BODYGUARD": r"body ?guard|guard(?:ian)?|knight|doctor",
    "VILLAGER": r"villager|bystander",
    "WEREWOLF": r"were ?wolf|wolf|mafia|mafioso",
    "POSSESSED": r"possessed|madman",
    "MASON": r"mason",
    "HUNTER": r"hunter",
    "WITCH": r"witch",
    "IDIOT": r"village idiot",
    "ROBBER": r"robber",
    "TROUBLEMAKER": r"trouble ?maker",
    "DRUNK": r"drunk",
    "INSOMNIAC": r"insomniac",
    "MINION": r"minion",
    "FOX": r"fox",
    "TANNER": r"tanner",
}
JAPANESE: dict[str, tuple[str, str]] = {
    "SEER": (r"占い?師|予言者|予言師", r"占い?"),
    "MEDIUM": (r"霊[媒能][師者]?", r"霊"),
    "BODYGUARD": (r"騎士|狩人|ボディー?ガード", r"護衛|狩"),
    "VILLAGER": (r"村人", r"村"),
    "WEREWOLF": (r"人狼", r"狼"),
    "POSSESSED": (r"狂人", r"狂"),
    "MASON": (r"共有者", r"共有?"),
    "FOX": (r"妖狐", r"狐"),
}
"""The names of a role, and its short names before CO (coming out)."""
CLAIMED_IN = ("en", "ja")
"""The languages with patterns of claims."""

_REAL = r"(?:(?:the|an?|your|my)\s+)?(?:(?:real|true|only|actual|genuine|plain|simple|ordinary|regular|innocent)\s+)*"
_SURELY = r"(?:(?:really|actually|indeed|truly|just|only|simply|definitely|also|still|in fact)\s+)*"
_DOUBT = (
    r"(?:\b(?P<doubt>if|whether|says?|thinks?|thought|pretend(?:ing)?|suggest(?:s|ing)?|accus\w+|not)\s+(?:that\s+)?)?"
)
_I = r"(?:私|わたくし|わたし|あたし|俺|僕|儂|ぼく|おれ|わし|うち|オレ|ボク|ワシ|アタシ|オイラ|自分|拙者|当方|こちら)"
_IS = r"(?:です(?!か(?!ら))|だ(?![とっろ]|なんて)|である|じゃ(?!な)|でございます|CO|[。!、\n]|$)"
_CO = r"(?:CO|カミングアウト)"
_OUT = (
    r"(?:です(?!か(?!ら))|だ(?![とっろ])|じゃ(?!な)|だよ|する(?=[。!よわぜのね])|し(?:ます|ておき|とく)"
    r"|いたします|致します|させて|[。、,.!…\s]|$)"
)

_QUOTED = re.compile("「[^」]*」(?=[はをがとのにっ])")
"""A quotation as a part of a sentence, followed by a particle: mostly the words of somebody else."""


def _english(role: str) -> str:
    return (
        rf"{_DOUBT}\bI(?:'?m|\s+am|\s+was)\b(?:\s*\.\.\.)?\s+{_SURELY}{_REAL}(?:{role})\b(?!-|\s*(?:claim|\?))"
        rf"|\bmy\s+role\s+is\s+{_REAL}(?:{role})\b"
        rf"|\bI(?:'?m|'ll|\s+am|\s+will|\s+must|\s+do)?\s+{_SURELY}(?:claim(?:ed|ing)?|CO(?:ing)?)\s+(?:to\s+be\s+|as\s+|being\s+)?{_REAL}(?:{role})\b"
        rf"|(?:^|[.!?\n])\s*(?:{role})\s+(?:CO|here)\b(?=\s*(?:[.,!:;—-]|I\b|$))"
        rf"|(?:^|[.!?\n])\s*as\s+the\s+{_REAL}(?:{role}),?\s+I\b"
    )


def _japanese(name: str, short: str) -> str:
    start = r"(?:^|[。、,.!?\s])"
    return (
        rf"{_I}[^\sはがもを、。]{{0,8}}(?:は|が|も|こそ|って)[、\s]?[^\sはがもを、。]{{0,10}}(?:{name}){_IS}"
        rf"|{_I}の(?:役職|役割|役)は[、\s]?(?:{name}){_IS}"
        rf"|(?:{name})は{_I}(?:です(?!か)|だ(?![とっろ])|[。!]|$)"
        rf"|(?:^|[。!?\n\s])(?:{name})(?:です(?!か(?!ら))|だよ)"
        rf"|{start}(?:{_I}[はがも]?|ここで|今から|では)?(?:{name}|{short})(?:として|で|を)?{_CO}{_OUT}"
    )


_PATTERNS = {
    "en": {role: re.compile(_english(words), re.IGNORECASE) for role, words in ENGLISH.items()},
    "ja": {role: re.compile(_japanese(*words)) for role, words in JAPANESE.items()},
}


def claims_in(text: str, language: str) -> Iterator[str]:
    """The roles that the speaker of this text claims, without repetition."""
    plain = _QUOTED.sub("", unicodedata.normalize("NFKC", text).replace("’", "'"))
    for role, pattern in _PATTERNS.get(language, {}).items():
        if any(not found.groupdict().get("doubt") for found in pattern.finditer(plain)):
            yield role
