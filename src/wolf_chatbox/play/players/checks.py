"""Checks of what a language model would say at the table, before it is said.

The checks look for usual phrases, as `werewolf.claims` does: what is said in other words passes, and now and then a
harmless line does not. A line that does not is drawn again, so too strict costs time, and too lax the game.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from functools import lru_cache

from wolf_chatbox.importers.shared.model_slips import slip_of
from wolf_chatbox.model.said import essence, is_short
from wolf_chatbox.play.players.secrets import forbidden
from wolf_chatbox.play.seating import NAMES
from wolf_chatbox.werewolf.sight import Kind, Sight
from wolf_chatbox.werewolf.utterance import OVER, SKIP, cut

NEAR, PARROT = 0.8, 0.9
"""From this likeness on (difflib's ratio of the letters), a line says an earlier one of its speaker, or of somebody
else, again; other names make no other line."""
LATELY, OTHERS = 4, 10
"""Lines of the speaker in which a short line may not stand, and lines of others that are not repeated."""
_ENDS = re.compile(r"[.!?…](?=\s|$)|[。！？]")
_LAST_WORD = re.compile(r"[\s。.]*\b(?:over|skip)[.!。]?\s*$", re.IGNORECASE)
_EMOJI = re.compile("[\U0001f000-\U0001faff\U00002600-\U000027bf\U0000fe0f\U0001f1e6-\U0001f1ff]")
_CODE = re.compile(
    r"\ufffd|[\x00-\x08\x0b-\x1f\x7f]|```|`[^`]*`|[{}<>|\\]|\*\*|__|^\s*#|https?://|\[/?[A-Z_]+\]|\b[A-Za-z]+\(\w*\)|\"\w+\"\s*:|\b\w+_\w+\b"
    r"|^\s*(?:COMINGOUT|ESTIMATE|DIVINED|IDENTIFIED|VOTE|REQUEST|AGREE)\b"
)
"""Broken and control characters, markup, JSON, calls, and codes of the AIWolf protocol."""
_REFUSES = re.compile(
    r"(?:申し訳|すみません|恐れ入り)[^。]{0,30}(?:手伝い|答え|応え|対応|生成|作成|提供)(?:する)?(?:こと)?[がは]?(?:でき|いた?しかね|しかね)"
    r"|(?:^|[。、])(?:私は)?(?:AI|人工知能|(?:大規模)?言語モデル)(?:です|だ|なので|として|である|の(?:ため|私))"
    r"|以下[がはに][^。]{0,12}(?:翻訳|発言例|発言案|回答|返答|台詞|セリフ)|プロンプト"
)
"""A model speaks in Japanese as a model, in words that `slip_of`, which also reads people's games, lets pass."""


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
    if slip_of(text) or _REFUSES.search(text):
        return "slip"
    if _is_long(text, sight):
        return "long"
    if any(strangers_in(text, sight, strangers)):
        return "stranger"
    if _is_somebody_else(text, sight) or _names_itself(text, sight.me, sight.table.language):
        return "itself"
    if kind == "talk" and (found := forbidden(text, sight, said)):
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
    rf"|agree with|against|with|and|the (?:were)?wolf|the seer)(?: that)?\s+{_WHO}\b(?!\s+[A-Z])",
    rf"(?<=[a-z;:—] ){_WHO}(?:'s|’s)\b",
    rf"(?<=[a-z;:—] ){_WHO}\s+(?:is|was|isn't|has|seems|claims?|claimed|said|says|voted|looks)\b",
)
_JAPANESE_WHO = r"(?P<name>[ァ-ヶー]{2,}|[A-Z][a-z]{2,}|[一-龠々]{1,5})"
_JAPANESE_NAMES = (
    r"@(?P<name>[ァ-ヶー]+|[A-Za-z]+|[一-龠々]+)",
    rf"{_JAPANESE_WHO}(?:さん|くん|君|ちゃん|氏)",
    r"(?:^|[。、！？!?\s])(?P<name>[ぁ-ん]{2,4})(?:さん|ちゃん(?!と))",
    r"(?P<name>[ァ-ヶー]{2,}|(?!Agent)[A-Z][a-z]{2,})(?:に投票|を占|を吊|を護衛|は人狼|が人狼|は村人|は人間|を疑|が怪し)",
)
_NO_NAMES = tuple(
    re.findall(
        r"\w+",
        """皆 皆様 占師 占い師 師 人狼 狼 村人 狂人 霊媒 騎士 狩人 司会 他 全員 客 相手 誰 何 今日 昨日 本日 自分
        彼 諸 者 役 枠 対抗 候補 二人 三人 ミナ ミンナ オレ ボク ワタシ ワシ オイラ ワイ アタシ ウチ アナタ スキップ
        プレイヤー エージェント ゲーム グレー グレラン ランダム ローラー ステルス ライン パンダ ハンター カウンター
        シロ クロ みな みんな たく おば おじ おっ ばあ じい ねえ にい かあ とう よう""",
    )
)
"""How words end that stand where a name could."""
_NO_NAME = frozenset(re.findall(r"\w+", "村 子 奥 父 母 兄 姉 隣 娘 嫁 爺 婆 屋 旦那 店員 店長 叔父 叔母"))
_USUAL = frozenset((*NAMES["ja"], "佐藤", "鈴木", "高橋", "田中", "伊藤", "山本", "中村", "太郎", "花子"))
"""Names of which a model thinks first, and that nothing tells from words, where no honorific follows."""
_NAME_PLACES = {
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
    known = _USUAL.union(strangers) if sight.table.language == "ja" else strangers
    yield from (name for name in known if name not in sight.names and _is_name(name) and _has(bare, name))
    for pattern in _NAME_PLACES.get(sight.table.language, ()):
        for name in (found["name"] for found in pattern.finditer(bare)):
            word = name.casefold().removesuffix("s")
            if word not in _ORDINARY and name not in _NO_NAME and not name.endswith(_NO_NAMES):
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


def _names_itself(text: str, me: str, language: str) -> bool:
    """Whether a player votes against itself, speaks to itself, or of itself as of another."""
    who = re.escape(me)
    if language == "ja":
        does = (
            r"に投票(?:します|する|しよう|したい)|(?:[はも]人狼[でだ]|が人狼だ)(?!と|って)|を疑[うっい]|[はがも]怪しい"
            r"|を吊(?:ります|りましょう|りたい|ろう)"
        )
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
        r"(?:^|。|、)(?:私|僕|俺|わたし|自分)(?:は|の名前は)(?P<name>[ァ-ヶー]{2,}|[A-Z][a-z]+|[一-龠々]{1,5}(?=と申|と言い|といい))"
        r"(?:です(?![ねか])|だ(?![とっろ])|と申し|と言い|といい)"
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
