"""What a player must not tell in public: the secrets of its own side, and roles and results that are not its own.

Usual phrases are found, in English and Japanese; secrets in other words are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from wolf_chatbox.game import SIDES, VILLAGER, WEREWOLF
from wolf_chatbox.werewolf.claims import claims_in
from wolf_chatbox.werewolf.sight import Sight

SECRET_ROLES = {WEREWOLF, "POSSESSED"}
"""Roles that nobody is glad to have claimed."""

_ME = r"(?:私|わたし|あたし|俺|僕|おれ|ぼく|自分|我々|俺たち|私たち|僕たち|こちら)"
_LEAKS = {
    "en": re.compile(
        r"\b(?:we|us|fellow|dear) (?:are )?(?:the )?(?:were)?wol(?:f|ves)\b|\bas an? (?:were)?wolf (?:I|we)\b"
        r"|\bmy (?:fellow|partner|teammate|accomplice|ally|allies|pack|packmate)\b|\bour (?:pack|prey|attack|kill)\b"
        r"|\b(?:we|I)(?:'ll|'ve| will| have| should| must| can)? (?:attack|kill|devour|bite|eat|ate|bit)(?:ed)?\b"
        r"|\b(?:my|our) (?:own )?wol(?:f|fs|ves)\b|\bI(?:'m| am) (?:a|the|your) (?:real |true )?(?:were)?wolf\b"
        r"|\b(?:position|role|part|job|myself|duty|team|identity) (?:as|is)(?: an?| the)? (?:were)?wol(?:f|ves)\b"
        r"|\bwe(?:'re| are) (?:(?:indeed|all|really|both|the|actually) )*(?:were)?wol(?:f|ves)\b"
        r"|\bplay(?:ing)? (?:as |the |a )[^.!?;]{0,14}wol(?:f|ves)\b|wolf is me\b"
        r"|\b(?:align|sid|ally)\w* with (?:the )?wol|\b(?:as|I'm|I am|my role)\b(?:(?!not|n't)[^.!?;]){0,30}\bpossess"
        r"|\bwhisper|\bhelp the (?:were)?wol(?:f|ves)\b|\b(?:wolf|werewol(?:f|ves))(?:'s|'|s'|) (?:side|team)\b",
        re.IGNORECASE,
    ),
    "ja": re.compile(
        rf"{_ME}(?:は|たち|ら|、)*(?:人狼|狼|狂人)(?:です|だ(?!なんて|と|って|ろ|とし)|なのだ|なんだ|なんで(?!すか)|なので(?!は)|たち|仲間|陣営)|(?:人狼|狼)仲間|仲間の(?:人狼|狼)|囁き|ささやき"
        rf"|{_ME}[はがもの、][^。]{{0,12}}(?:襲撃(?!され)|噛[みむんま])|(?:人狼|狼)(?:陣営)?(?:を|が)(?:守|助け|勝たせ|勝つため)"
        rf"|(?:^|。)(?:人狼|狂人)として|(?:人狼|狂人)としての|{_ME}の(?:人狼|狼)|{_ME}の相[方棒]|(?<!の)相[方棒]の"
        r"|を(?:襲撃し|噛み)(?:ましょう|ます|たい(?=[。！です]|$))|を(?:襲撃しよう|噛もう)(?!と)|襲撃先は[^。]{1,14}に(?:し(?:ま|よう)|決め)"
        r"|ご主人様|(?:^|[。！？])(?:実は|本当は)、?(?:人狼|狼|狂人)(?:です|だ|なん)|(?:人狼|狼)(?:さん|の方|様)、?[^。]{0,8}味方"
    ),
}
"""What only a wolf or a possessed player would say."""
_TOGETHER = {
    "en": (
        re.compile(r"[.!?;…]+"),
        re.compile(r"\b(?:I|I'm|me|my|mine|we|we're|us|our|ours)\b", re.IGNORECASE),
        re.compile(r"wol(?:f|ves)|possess", re.IGNORECASE),
        re.compile(
            r"\bnot?\b|n't|never|find|catch|look|hunt|search|suspect|think|believe|vote|voting|accus|against"
            r"|\bwho\b|which"
            r"|danger|problem|between|among|stop|play|game|divin|result|claim|sa(?:y|id)\b|figure|identify|reveal the",
            re.IGNORECASE,
        ),
    ),
    "ja": (
        re.compile(r"[。！？!?…]+"),
        re.compile(_ME),
        re.compile(r"狼|狂人"),
        re.compile(
            r"ない|なん|疑|怪し|探|見つけ|吊|投票|誰|思|違|占|結果|CO|主張|言|知り|倒|追放|危|寄り|プレイ|ゲーム|ません|か$"
        ),
    ),
}
"""How a sentence ends, words for the speaker's side, for the wolves, and words that make both together harmless."""
_TELLS = r"(?:[は、:：][^。？?]{1,16}(?:[白黒]|シロ|クロ|人間|人狼)(?![^。]*[？?か])|を(?:報告|発表|お?伝え)し?ます)"
_SEES = {
    "en": re.compile(
        r"\bI(?:'ve| have)? (?:divined|checked|inspected|investigated|saw that)\b|\bmy (?:divination|N\d)\b"
        r"|\bI(?:'m| am) (?:the|your|our|an?) \w+ seer\b|\bmy role is (?:\w+ ){0,3}(?:seer|medium|(?:body)?guard)\b",
        re.IGNORECASE,
    ),
    "ja": re.compile(
        rf"(?:{_ME}|昨夜|昨晩)(?:[はが、]|に)?[^。？?]{{0,12}}占(?:った|いました)(?![^。]*[？?か])|占(?:った|いました)(?:ところ|ら|結果)"
        rf"|{_ME}の占い?(?:の)?結果|占って(?:人狼|人間|白|黒)|(?:^|。)[^。はがもの]{{1,10}}を占(?:いました(?!か)|った(?=[。！よ]|$))"
        rf"|(?:^|。)占い?の?結果{_TELLS}"
    ),
}
"""Where somebody tells what it found out: it says that it is the seer."""
_SHOWS = {
    "MEDIUM": re.compile(rf"(?:^|。)霊[媒能]師?の?結果{_TELLS}"),
    "BODYGUARD": re.compile(
        rf"(?:{_ME}[はが、]|[昨今][夜晩]は?、?)[^。？?騎狩]{{0,12}}を護衛し(?:ま(?:した|す)(?!か|よね)|た(?=[。！よ]|$)|てい)"
    ),
}
"""The same in Japanese, of the other roles."""
_EMPHASIS = re.compile(r"なんです(?!か)")
"""A copula that `claims` does not know."""


_HOWLS = re.compile(
    r"\bI(?:'m| am) (?:(?!not?\b|never|for|against|hunt|find|look|search|sure|certain|vot|susp|sorry|afraid|here"
    r"|of\b|after|about|with|think|convinced|worried|on\b|trying|seer|a\b|going|glad|play|ready|excited)[\w'’]+ ){0,7}"
    r"(?:were)?wolf\b",
    re.IGNORECASE,
)
"""A speaker says that it is a wolf, in other words than `claims` knows."""


def claimed_in(text: str, language: str) -> set[str]:
    """The roles that the speaker of a text says or shows to have."""
    sees = {"SEER"} if language in _SEES and _SEES[language].search(text) else set()
    howls = {WEREWOLF} if language == "en" and _HOWLS.search(text) else set()
    shows = {role for role, pattern in _SHOWS.items() if language == "ja" and pattern.search(text)}
    return sees | shows | howls | set(claims_in(_EMPHASIS.sub("です", text), language))


def forbidden(text: str, sight: Sight, said: Sequence[str]) -> str:
    """`secret` for what the player's own side must keep, `claim` for a role or a finding that it must not tell."""
    claims, language = claimed_in(text, sight.table.language), sight.table.language
    is_village = SIDES.get(sight.role, VILLAGER) == VILLAGER
    if not is_village:
        leaks = _LEAKS[language].search(text) if language in _LEAKS else None
        if (
            claims & SECRET_ROLES
            or leaks
            or _stands_with_wolves(text, language)
            or any(_calls_wolf(text, name, language) for name in sight.friends)
        ):
            return "secret"
        before = {role for line in said for role in claimed_in(line, language)}
        return "claim" if before and claims - before else ""
    return "claim" if claims - {sight.role} or _misreports(text, sight) else ""


_KILLS = {
    "en": re.compile(
        r"\b(?<!was )(?<!were )(?<!been )(?<!got )(?:attack|kill|murder|devour|bite|hunt|eat|prey)(?:s|ed|ing)?\b",
        re.IGNORECASE,
    ),
    "ja": re.compile(r"襲撃(?!され)|襲(?:う|い|お|っ)|噛[むみまもん]|食[べう]"),
}
"""What the wolves do at night, but for what befell somebody."""


_SEEKS = {
    "en": re.compile(
        r"\b(?:find|spot|catch|search|outsmart|stop|vote out|look(?:ing)? for|eye on|watch\w*|which|any"
        r"|who(?! is an?\b))\b",
        re.IGNORECASE,
    ),
    "ja": re.compile(r"探|見つけ|誰|どこ|どれ|吊"),
}
"""Where a sentence about wolves is about the search for them."""
_NO_VILLAGER = {
    "en": re.compile(
        r"\bnot (?:an? |the |one of the )?(?:villager|human|innocent)"
        r"|\b(?:catch|trap|hunt|eliminate|get rid of)\b[^.!?]{0,30}\b(?:humans?|villagers?|innocents?)\b"
        r"|\bagainst (?:my|our|the) villag|\blooking for (?:a|the) human\b",
        re.IGNORECASE,
    ),
    "ja": re.compile(r"(?:村人|人間|村側|村陣営)(?:(?:では|じゃ)(?:ない|ありません)|を(?:捕|狩|倒|消))"),
}
_SELF = {
    "en": re.compile(
        r"\b(?:I am|I'm|we are|we're)\b(?! (?:(?:just|so|really|very|all|still|also|always|too|only|quite|super) )*"
        r"(?:here\W*$|here (?:to (?:help|listen|play|talk|discuss|find|solve|learn|observe)|for (?:you"
        r"|this game|the game))"
        r"|(?:not )?(?:happy|glad|excited|ready|curious|sorry|sure|unsure|certain|confused|interested"
        r"|intrigued|surprised"
        r"|worried|afraid|listening|thinking|looking|trying|wondering|hoping|going to (?:vote|listen|wait|ask)|voting"
        r"|suspicious of|new|fine|well|good|okay|back|in|on it|open to|willing|inclined|leaning|convinced"
        r"|concerned|asking"
        r"|waiting|playing)\b"
        r"|(?:the |a |an )?(?:\w+ )?(?:seer|medium|bodyguard|villager|human|innocent)\W*$|@ME@(?:\W*$| and\b| here\b)"
        r"|in this together|all here))"
        r"|\b(?:my|our)\b(?! (?:(?:own|first|next|last|main|best|only|new|old|dear) )*(?:votes?|name"
        r"|thoughts?|opinions?"
        r"|views?|suspicions?|questions?|turns?|friends?|dear|guess|mind|apologies|pleasure|village|game"
        r"|discussion|claim"
        r"|conversation|town|community|result|reason(?:ing)?s?|concerns?|instincts?|attention|decision|focus"
        r"|goal|best|ears"
        r"|eyes|input|word|fellow villagers)\b)"
        r"|\b(?:pretend|manipulat|trick|fool|conceal|cover)\w*\b|\bpacks?\b",
        re.IGNORECASE,
    ),
    "ja": re.compile(
        rf"{_ME}(?:は|が|も)(?![^。！？]{{0,40}}(?:思|考|感|疑|投票|信|村人|人間|占|霊|狩|騎|気に|聞|待|賛成|同意|言|見|分か|わか))"
    ),
}
"""What a speaker says of itself, but for what a villager usually does; the speaker's own name stands for `@ME@`."""
_SHIELDS = {
    "en": re.compile(r"\b(?:help|protect|support|save|spare|join|assist|serve|side|love|thank)\w*\b", re.IGNORECASE),
    "ja": re.compile(r"助け|守|救|味方|手伝|仕え|協力"),
}
"""What nobody of the village would do for a wolf."""
_NATURE = {
    "en": re.compile(
        r"\b(?:roles?|powers?|secrets?|secretly|identity|true self|nature|alle\w+|ally|allies|team(?:mates?)?|side"
        r"|mission|demon\w*|devil\w*|monst\w+|beasts?|undead|evil|dark(?:ness)?|villains?|traitors?|betray\w*"
        r"|mislead\w*|deceiv\w*"
        r"|li(?:e|ed|ar|es)|lying|sworn|target\w*|deeds?|demise|doom|howl\w*|blood\w*|fangs?|prowl\w*|hid(?:e"
        r"|den|ing)|disguis\w*)\b",
        re.IGNORECASE,
    ),
    "ja": re.compile(r"役職|役割|正体|能力|秘密|仲間|味方|陣営|悪魔|怪物|魔物|闇|裏切|騙|だま|嘘|隠|血|牙|遠吠"),
}
"""Words for what a player is; of itself, one of the wolves' side says nothing with them."""


def may_betray(text: str, sight: Sight) -> bool:
    """Whether a line is better not said by a player of the wolves' side, whatever it means.

    Who draws lines by chance can afford to be strict: a sentence may speak of wolves only where it looks for them, and
    without the speaker; nothing may speak of killing, of what the speaker is, or deny to be of the village.
    """
    language = sight.table.language
    if SIDES.get(sight.role, VILLAGER) == VILLAGER or language not in _TOGETHER:
        return False
    if _KILLS[language].search(text) or _NO_VILLAGER[language].search(text):
        return True
    end, own, wolves, _ = _TOGETHER[language]
    for part in end.split(text.replace("’", "'")):
        own_part = bool(own.search(part)) or sight.me in part
        if _SELF[language].search(part.replace(sight.me, "@ME@").rstrip()):
            return True
        if own_part and _NATURE[language].search(part):
            return True
        if wolves.search(part) and (own_part or _SHIELDS[language].search(part) or not _SEEKS[language].search(part)):
            return True
    return False


def _stands_with_wolves(text: str, language: str) -> bool:
    """Whether a sentence names the speaker and wolves together, and does not speak of a search for them."""
    if language not in _TOGETHER:
        return False
    end, own, wolves, harmless = _TOGETHER[language]
    sentences = end.split(text)
    return any(own.search(part) and wolves.search(part) and not harmless.search(part) for part in sentences)


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
    "ja": r"(?:さん|くん|ちゃん)?(?:は|が|も|を占[^。]{0,14}?|の結果は|＝|=|)(?P<no>)"
    r"(?P<is>人狼|狼|人間|村人|白|黒|シロ|クロ)",
}


def _reported(text: str, sight: Sight) -> Iterator[tuple[str, str]]:
    """The findings in a text: of whom, HUMAN or WEREWOLF."""
    for name in sight.names:
        for found in re.finditer(re.escape(name) + _RESULT[sight.table.language], text, re.IGNORECASE):
            is_wolf = (found["is"].casefold() in _IS_WOLF) != bool(found["no"])
            yield name, WEREWOLF if is_wolf else "HUMAN"
