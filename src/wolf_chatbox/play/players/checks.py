"""Checks of what a language model would say at the table, before it is said.

The checks look for usual phrases, as `werewolf.claims` does: what is said in other words passes, and now and then a
harmless line does not. A line that does not is drawn again, so too strict costs time, and too lax the game.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from functools import lru_cache

from wolf_chatbox.game import SIDES, VILLAGER, WEREWOLF
from wolf_chatbox.importers.model_slips import slip_of
from wolf_chatbox.model.said import essence, is_short
from wolf_chatbox.werewolf.claims import claims_in
from wolf_chatbox.werewolf.sight import Kind, Sight
from wolf_chatbox.werewolf.utterance import OVER, SKIP, cut

NEAR, PARROT = 0.8, 0.9
"""From this likeness on (difflib's ratio of the letters), a line says an earlier one of its speaker, or of somebody
else, again; other names make no other line."""
LATELY, OTHERS = 4, 10
"""Lines of the speaker in which a short line may not stand, and lines of others that are not repeated."""
SECRET_ROLES = {WEREWOLF, "POSSESSED"}
"""Roles that nobody is glad to have claimed."""

_ENDS = re.compile(r"[.!?…](?=\s|$)|[。！？]")
_LAST_WORD = re.compile(r"[\s。.]*\b(?:over|skip)[.!。]?\s*$", re.IGNORECASE)
_EMOJI = re.compile("[\U0001f000-\U0001faff\U00002600-\U000027bf\U0000fe0f\U0001f1e6-\U0001f1ff]")
_CODE = re.compile(
    r"```|`[^`]*`|[{}<>|\\]|\*\*|__|^\s*#|https?://|\[/?[A-Z_]+\]|\b[A-Za-z]+\(\w*\)|\"\w+\"\s*:|\b\w+_\w+\b"
    r"|^\s*(?:COMINGOUT|ESTIMATE|DIVINED|IDENTIFIED|VOTE|REQUEST|AGREE)\b"
)
"""Markup, JSON, calls, and codes of the AIWolf protocol."""


def fitting(text: str, sight: Sight) -> str:
    """The text as one line without commas, ended at a sentence's end where it is longer than the table allows."""
    line = " ".join(text.split()) if sight.table.language == "en" else "".join(text.splitlines()).strip()
    if line not in (OVER, SKIP):
        line = _LAST_WORD.sub("", line) or line
    line = line.removeprefix(f"{sight.me}:")
    line = re.sub(r",\s*", "、" if sight.table.language == "ja" else " ", line).strip()
    if not _is_long(line, sight):
        return line
    ends = [line[: found.end()] for found in _ENDS.finditer(line)]
    return next((part for part in reversed(ends) if not _is_long(part, sight)), line)


def problem(
    text: str, sight: Sight, said: Sequence[str], *, kind: Kind = "talk", strangers: Collection[str] = ()
) -> str:
    """Why this must not be said; empty if it may be.

    `said` is what the speaker said before; `strangers` are names that a model knows from elsewhere. Gives one of
    empty, over, lines, comma, emoji, code, slip, long, stranger, itself, secret, claim, repeated.
    """
    if text in (OVER, SKIP):
        return ""
    if not essence(text).strip(" .…。、!?！？"):
        return "empty"
    if re.fullmatch(r"\W*(?:over|(?:force)?\s*skip|オーバー|スキップ)\W*", text, re.IGNORECASE):
        return "over"
    if "\n" in text or "\r" in text:
        return "lines"
    if "," in text:
        return "comma"
    if _EMOJI.search(text):
        return "emoji"
    if _CODE.search(_without_names(text, sight.names)):
        return "code"
    if slip_of(text):
        return "slip"
    if _is_long(text, sight):
        return "long"
    if any(strangers_in(text, sight, strangers)):
        return "stranger"
    if _is_somebody_else(text, sight) or _names_itself(text, sight.me, sight.table.language):
        return "itself"
    if kind == "talk" and (found := _told(text, sight, said)):
        return found
    return "repeated" if _is_repeated(text, sight, said) else ""


def _is_long(text: str, sight: Sight) -> bool:
    """Whether the moderator would cut something off."""
    others = [name for name in sight.names if name != sight.me]
    kept = cut(text, sight.table, others, sight.letters_left).text
    return len("".join(kept.split())) < len("".join(text.split()))


def _without_names(text: str, names: Iterable[str]) -> str:
    """The text without the players' names, which may look like anything: Agent[01]."""
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(f">>{name}", "").replace(name, "")
    return text


# Names

_ORDINARY = frozenset(
    re.findall(
        r"\w+",
        """seer wolf werewolve werewolf wolve villager possessed medium bodyguard human village town day night over skip
        claim skipping everyone anyone someone nobody other moderator god sir madam last first second final early no
        silence yes co the that thi what who why how when where she he it let they we you mister mr mrs miss sir bro sis
        english japanese""",
    )
)
"""Words that are written with a capital at the table, without a plural's s."""
_WHO = r"(?P<name>[A-Z][a-z]{2,})"
_ENGLISH_NAMES = (
    rf"@{_WHO}",
    rf"\b(?:[Vv]ot(?:e|ed|es|ing)(?: for| to execute| out| on| against)?|trust|suspect|accuse[ds]?|believe|exile"
    rf"|execute|eliminate|divin(?:e|ed|ing)|check(?:ed)?|investigated?|inspect(?:ed)?|protect(?:ed)?|guard(?:ed)?|ask"
    rf"|agree with|against|with|and)\s+{_WHO}\b(?!\s+[A-Z])",
    rf"(?<=[a-z;:—] ){_WHO}(?:'s|’s)\b",
    rf"(?<=[a-z;:—] ){_WHO}\s+(?:is|was|isn't|has|seems|claims?|claimed|said|says|voted|looks)\b",
)
_JAPANESE_WHO = r"(?P<name>[ァ-ヶー]{2,}|[A-Z][a-z]{2,}|[一-龠々]{1,5})"
_JAPANESE_NAMES = (
    r"@(?P<name>[ァ-ヶー]+|[A-Za-z]+|[一-龠々]+)",
    rf"{_JAPANESE_WHO}(?:さん|くん|君|ちゃん|氏)",
    r"(?P<name>[ァ-ヶー]{2,}|(?!Agent)[A-Z][a-z]{2,})(?:に投票|を占|を吊|を護衛|は人狼|が人狼|は村人|は人間|を疑|が怪し)",
)
_NO_NAMES = (
    *(
        "皆",
        "皆様",
        "占師",
        "占い師",
        "師",
        "人狼",
        "村人",
        "狂人",
        "霊媒",
        "騎士",
        "狩人",
        "司会",
        "他",
        "全員",
        "村",
        "客",
    ),
    *(
        "相手",
        "誰",
        "何",
        "今日",
        "昨日",
        "本日",
        "自分",
        "彼",
        "諸",
        "ミナ",
        "ミンナ",
        "オレ",
        "ボク",
        "ワタシ",
        "ワシ",
    ),
    *("オイラ", "ワイ", "アタシ", "ウチ", "アナタ", "スキップ"),
)
_NAMES = {
    "en": [re.compile(pattern) for pattern in _ENGLISH_NAMES],
    "ja": [re.compile(pattern) for pattern in _JAPANESE_NAMES],
}
_NUMBERED = re.compile(r"Agent\s?\[\d+\]|Agent\s\d+|Player\s?\d+")


def strangers_in(text: str, sight: Sight, strangers: Collection[str] = ()) -> Iterator[str]:
    """Names in a text of people who are not at the table."""
    names = sorted(sight.names, key=len, reverse=True)
    bare = text
    for name in names:
        bare = _pattern(name).sub("、", bare.replace(f"@{name}", "、"))
    yield from (found.group() for found in _NUMBERED.finditer(bare))
    yield from (name for name in strangers if name not in sight.names and _is_name(name) and _has(bare, name))
    for pattern in _NAMES.get(sight.table.language, ()):
        for found in pattern.finditer(bare):
            name = found["name"]
            if name.casefold().removesuffix("s") not in _ORDINARY and not name.endswith(_NO_NAMES):
                yield name


def _is_name(name: str) -> bool:
    """Whether a speaker's name can be told from a word."""
    return len(name) > 1 and (name[0].isupper() or not name[0].isascii())


def _has(text: str, name: str) -> bool:
    return name in text and bool(_pattern(name).search(text))


@lru_cache(2048)
def _pattern(name: str) -> re.Pattern[str]:
    """A name that is no part of a longer word of its own script; \\b takes Japanese letters for such a part."""
    letters = "A-Za-z" if name.isascii() else "ァ-ヶー" if re.search("[ァ-ヶー]", name) else "一-龠々"
    return re.compile(rf"(?<![{letters}]){re.escape(name)}(?![{letters}])")


# What is told

_ME = r"(?:私|わたし|あたし|俺|僕|おれ|ぼく|自分|我々|俺たち|私たち|僕たち|こちら)"
_LEAKS = {
    "en": re.compile(
        r"\b(?:we|us|fellow|dear) (?:are )?(?:the )?(?:were)?wol(?:f|ves)\b|\bas an? (?:were)?wolf (?:I|we)\b"
        r"|\bmy (?:fellow|partner|teammate|accomplice|ally|allies|pack|packmate)\b|\bour (?:pack|prey|attack|kill)\b"
        r"|\b(?:we|I)(?:'ll|'ve| will| have| should| must| can)? (?:attack|kill|devour|bite|eat|ate|bit)(?:ed)?\b"
        r"|\b(?:my|our) (?:own )?wol(?:f|fs|ves)\b|\bI(?:'m| am) (?:a|the|your) (?:real |true )?(?:were)?wolf\b"
        r"|\b(?:position|role|part|job|myself|duty|team|identity) (?:as|is)(?: an?| the)? (?:were)?wol(?:f|ves)\b"
        r"|\bwhisper|\bhelp the (?:were)?wol(?:f|ves)\b|\b(?:wolf|werewol(?:f|ves))(?:'s|'|s'|) (?:side|team)\b",
        re.IGNORECASE,
    ),
    "ja": re.compile(
        rf"{_ME}(?:は|たち|ら|、)*(?:人狼|狼|狂人)(?:です|だ(?!なんて|と|って|ろ|とし)|なのだ|なんだ|たち|仲間|陣営)|(?:人狼|狼)仲間|仲間の(?:人狼|狼)|囁き|ささやき"
        rf"|{_ME}[はがもの、][^。]{{0,12}}(?:襲撃(?!され)|噛[みむんま])|(?:人狼|狼)(?:陣営)?(?:を|が)(?:守|助け|勝たせ|勝つため)"
        rf"|(?:^|。)(?:人狼|狂人)として|(?:人狼|狂人)としての|{_ME}の(?:人狼|狼)|{_ME}の相[方棒]"
    ),
}
"""What only a wolf or a possessed player would say."""
_SEES = {
    "en": re.compile(
        r"\bI(?:'ve| have)? (?:divined|checked|inspected|investigated|saw that)\b|\bmy (?:divination|N\d)\b",
        re.IGNORECASE,
    ),
    "ja": re.compile(
        rf"(?:{_ME}|昨夜|昨晩)(?:[はが、]|に)?[^。？?]{{0,12}}占(?:った|いました)(?![^。]*[？?か])|占(?:った|いました)(?:ところ|ら|結果)"
        rf"|{_ME}の占い?(?:の)?結果|(?:^|。)占い?(?:の)?結果[はを、:：]|占って(?:人狼|人間|白|黒)"
    ),
}
"""Where somebody tells what it found out: it says that it is the seer."""


_HOWLS = re.compile(
    r"\bI(?:'m| am) (?:(?!not?\b|never|for|against|hunt|find|look|search|sure|certain|vot|susp|sorry|afraid|here"
    r"|of\b|after|about|with|think|convinced|worried|on\b|trying|seer|a\b|going|glad|play|ready|excited)[\w'’]+ ){0,5}"
    r"(?:were)?wolf\b",
    re.IGNORECASE,
)
"""A speaker says that it is a wolf, in other words than `claims` knows."""


def claimed_in(text: str, language: str) -> set[str]:
    """The roles that the speaker of a text says or shows to have."""
    sees = {"SEER"} if language in _SEES and _SEES[language].search(text) else set()
    howls = {WEREWOLF} if language == "en" and _HOWLS.search(text) else set()
    return sees | howls | set(claims_in(text, language))


def _told(text: str, sight: Sight, said: Sequence[str]) -> str:
    """`secret` for what the player's own side must keep, `claim` for a role or a finding that it must not tell."""
    claims, language = claimed_in(text, sight.table.language), sight.table.language
    is_village = SIDES.get(sight.role, VILLAGER) == VILLAGER
    if not is_village:
        leaks = _LEAKS[language].search(text) if language in _LEAKS else None
        if claims & SECRET_ROLES or leaks or any(_calls_wolf(text, name, language) for name in sight.friends):
            return "secret"
        before = {role for line in said for role in claimed_in(line, language)}
        return "claim" if before and claims - before else ""
    return "claim" if claims - {sight.role} or _misreports(text, sight) else ""


def _calls_wolf(text: str, name: str, language: str) -> bool:
    who = re.escape(name)
    if language == "ja":
        return bool(
            re.search(rf"{who}(?:さん|くん|ちゃん)?(?:は|が|も|と{_ME}|{_ME}の|、)+(?:人狼|狼|仲間|味方)", text)
        )
    link = r"(?:'s| is| are|=|:)\s*(?:also |really |actually |definitely )?(?:a |the |my |our )?(?:fellow )?"
    return bool(re.search(rf"{who}{link}(?:were)?wolf\b|{who} and I are\b", text, re.IGNORECASE))


def _misreports(text: str, sight: Sight) -> bool:
    """Whether a player of the village tells another result than it found."""
    if sight.role not in ("SEER", "MEDIUM") or not claimed_in(text, sight.table.language):
        return False
    found = sight.found("divine" if sight.role == "SEER" else "medium")
    return any(found.get(name) != result for name, result in _reported(text, sight))


_IS_WOLF = ("人狼", "狼", "黒", "クロ", "wolf", "werewolf")
_RESULT = {
    "en": r"\s*(?:=|:|is|was|as|and (?:found|got)[^.;]{0,20}?)\s*(?:also )?(?P<no>not )?(?:an? |the )?"
    r"(?P<is>human|innocent|villager|(?:were)?wolf)\b",
    "ja": r"(?:さん|くん|ちゃん)?(?:は|が|を占[^。]{0,14}?|の結果は|＝|=)(?P<no>)"
    r"(?P<is>人狼|狼|人間|村人|白|黒|シロ|クロ)",
}


def _reported(text: str, sight: Sight) -> Iterator[tuple[str, str]]:
    """The findings in a text: of whom, HUMAN or WEREWOLF."""
    for name in sight.names:
        for found in re.finditer(re.escape(name) + _RESULT[sight.table.language], text, re.IGNORECASE):
            is_wolf = (found["is"].casefold() in _IS_WOLF) != bool(found["no"])
            yield name, WEREWOLF if is_wolf else "HUMAN"


def _names_itself(text: str, me: str, language: str) -> bool:
    """Whether a player votes against itself, speaks to itself, or of itself as of another."""
    who = re.escape(me)
    if language == "ja":
        does = r"に投票(?:します|する|しよう|したい)|は人狼[でだ]|を疑[うっい]|が怪しい"
        pattern = rf"@{who}|{who}(?:さん|くん|ちゃん|氏|様)|{who}(?:{does})"
    else:
        names = r"(?:vot(?:e|ing)|execute|exile|eliminate|suspect|accuse|trust)\s(?:for |on |out |against )?"
        pattern = (
            rf"@{who}\b|\b(?:I|I'll|I'm|let's|we|we'll|should|will)\b[^.!?;]{{0,30}}\b{names}{who}\b"
            rf"|(?:^|[.!?] )(?:please |just )?vot(?:e|ing) (?:for )?(?:{who}|me)\b(?!\?)"
            rf"|\b{who} (?:is|seems|looks) (?:a |the |very |too |more )?(?:were)?(?:wolf|suspicious)"
            rf"|\b{who}(?:'s|’s)\b|\b(?:thank you|thanks|hello|hi|agree with) {who}\b"
        )
    return bool(me and re.search(pattern, text, re.IGNORECASE))


_I_AM = {
    "en": re.compile(r"(?:\bI(?:'m| am)|\b[Mm]y name is|\b[Cc]all me)\s+(?P<name>[A-Z][a-z]{2,})\b(?! [A-Z])"),
    "ja": re.compile(
        r"(?:^|。|、)(?:私|僕|俺|わたし)は(?P<name>[ァ-ヶー]{2,}|[A-Z][a-z]+)(?:です|だ|と申し|と言い|といい)"
    ),
}
"""Where a speaker tells its name."""


def _is_somebody_else(text: str, sight: Sight) -> bool:
    """Whether the speaker tells a name that is not its own."""
    found = [found["name"] for found in _I_AM[sight.table.language].finditer(text)]
    return any(name not in sight.me and name.casefold() not in _ORDINARY for name in found)


def _is_repeated(text: str, sight: Sight, said: Sequence[str]) -> bool:
    """Whether it is nearly what the speaker said before, or what somebody else said lately, or says one thing twice."""
    parts = [essence(part) for part in _ENDS.split(text) if part.strip()]
    if len(set(parts)) < len(parts):
        return True
    if is_short(text):
        return essence(text) in map(essence, said[-LATELY:])
    one = essence(_without_names(text, sight.names))
    heard = [line.text for line in sight.said() if line.speaker != sight.me]
    earlier = [(line, NEAR) for line in said] + [(line, PARROT) for line in heard[-OTHERS:]]
    return any(_is_like(one, essence(_without_names(line, sight.names)), near) for line, near in earlier)


def _is_like(one: str, other: str, near: float) -> bool:
    """Whether two texts are as alike as that."""
    if 2 * min(len(one), len(other)) < near * (len(one) + len(other)):  # the ratio cannot reach it
        return False
    return SequenceMatcher(None, one, other, autojunk=False).ratio() >= near
