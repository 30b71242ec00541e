"""The usual phrases of players, English and Japanese, as patterns in which a name is one letter (see `statements`)."""

from __future__ import annotations

import re
from typing import NamedTuple

FIRST, LAST = "\ue000", "\ue0ff"
"""Names are read as letters of the private use area, so that no pattern depends on who plays."""
_L = f"{FIRST}-{LAST}"
_N = f"(?P<n>[{_L}])"
_ANY = f"[{_L}]"


class Phrases(NamedTuple):
    """The patterns of one language. `n` is the player who is meant, `white` and `black` what somebody found out."""

    sentence: re.Pattern[str]
    """Where a sentence ends."""
    own: re.Pattern[str]
    """The speaker speaks of a result of its own."""
    medium: re.Pattern[str]
    seer: re.Pattern[str]
    foreign: re.Pattern[str]
    """The result is somebody else's, or a supposition."""
    result: re.Pattern[str]
    definite: re.Pattern[str]
    """Matches from the name on where a colour is told as a fact."""
    vote: list[re.Pattern[str]]
    no_vote: re.Pattern[str]
    wolf: list[re.Pattern[str]]
    human: list[re.Pattern[str]]
    real: re.Pattern[str]
    """The speaker believes a claim."""
    attack: list[re.Pattern[str]]
    """What wolves whisper."""
    doubt: re.Pattern[str]
    """Turns an estimate into none."""
    asks: re.Pattern[str]


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)


def _each(*patterns: str) -> list[re.Pattern[str]]:
    return [re.compile(pattern, re.IGNORECASE) for pattern in patterns]


_WHITE = r"not (?:a |the )?(?:were ?)?wol(?:f|ves)|human|white|innocent|villager|clear|good|town"
_BLACK = r"were ?wol(?:f|ves)|wolf|black|evil|guilty"
_LINK = (
    r"(?:\s*(?:,|:|=|->|→|-|—|\(|\.\.\.)\s*|\s*\b(?:and|who|to|be|he|she|they|it|that|was|is|were|are|as|a|an|the|came|up|back"
    r"|out|turned|returned|shows?|showed|revealed|result\w*|on|day ?\d|last|night|says|said|being|found|confirmed"
    r"|definitely|clearly|indeed|really|your|our|my|seer|medium)\b|'s\b)*"
)
_VERY = (
    r"(?:\s+(?:to be|like|so|very|most|more|really|quite|the|a|an|too|my|main|top|still|likely|probably|definitely|just"
    r"|pretty|clearly|now))*"
)
_IS = r"(?:\s+(?:is|seems?|looks?|feels?|sounds?)|'s)"

ENGLISH = Phrases(
    sentence=re.compile(
        r"(?<=[.!?])\s+(?!(?:The )?(?:[Rr]esult|She|He|They)\b)|\n|(?<=[a-z])[.!?](?=[A-Z])|\s+[—–]\s+|;\s*"
    ),
    own=_any(
        r"\bI(?:'ve| have)?\b[^.!?]{0,30}\b(?:divin(?:ed|e)|peeked|checked|inspected|investigated|scanned|examined)\b",
        r"\bmy (?:analysis|check|reading)\b[^.!?]{0,20}\btargeted",
        r"\bmy\b[^.!?]{0,24}\b(?:results?|divination|checks?|medium|vision|reading)",
        r"(?<!your )\b(?:divination|divine|seer|medium|check) results?\b",
        r"\bI(?:'m| am)(?: the| a)? (?:real |true )?(?:seer|medium)\b",
        r"^\s*(?:result|N\d)\b",
        r"\b(?:seer|medium) CO\b",
        r"\bCO (?:seer|medium)\b",
        r"\b(?:per|by) my\b",
        r"^\s*(?:seer|medium) here\b",
    ),
    medium=_any(r"\bmedium\b"),
    seer=_any(r"\bseer\b", r"\b(?:divin|peek|check|inspect|investigat|scann|examin)"),
    foreign=_any(
        rf"{_ANY}\s*(?:'s|')\s*(?:\w+\s+){{0,2}}(?:results?|divination|checks?|claims?|medium|report|info)\b",
        rf"{_ANY}\s+(?:says?|said|claim\w*|divined|checked|called|marked|divines)\b",
        r"\b(?:if|whether|suppose|assuming|unless|your|according to|would|should|could|maybe|did you|vote|think)\b",
        r"\blet's divine|\bwill divine|\bnot divin|\?",
    ),
    result=re.compile(
        rf"{_N}(?:(?: last night)?[.!] (?:The )?(?:result|she|he|they|it)\b'?(?:s|re)?)?{_LINK}"
        rf"\s*\b(?:(?P<white>{_WHITE})|(?P<black>{_BLACK}))\b",
        re.IGNORECASE,
    ),
    definite=re.compile(
        rf"{_N}(?:\s*=\s*|\s+(?:is (?:confirmed|definitely)|was|came up|came back)\s+(?:as )?(?:an? |the )?)"
        rf"(?:{_WHITE}|{_BLACK})\b",
        re.IGNORECASE,
    ),
    vote=_each(
        rf"\b(?:I|I'll|I'm|we|we'll)\b[^.!?]{{0,24}}\bvot(?:e|ing)\s+(?:for\s+|to\s+(?:lynch|execute|eliminate)\s+|out\s+)?{_N}",
        rf"\bmy (?:final )?vote\b[^.!?{_L}]{{0,24}}{_N}",
        rf"\b(?:let's|let us|please|should|must|and|to|now|today)\b[^.!?{_L}]{{0,16}}"
        rf"\b(?:vote|execute|lynch|eliminate)\s+(?:for\s+|out\s+)?{_N}",
        rf"^\s*(?:final )?(?:vote|voting|execute|lynch)\s*(?:for|:|=|out)?\s*{_N}",
        rf"\bvoting (?:for )?{_N}",
    ),
    no_vote=_any(r"\b(?:not|don't|won't|never|why|if|unless|otherwise|or I|wouldn't|who|voted)\b", r"\?"),
    wolf=_each(
        rf"\b(?:suspect|suspicious of|suspicious about|doubt|accuse|distrust|wary of)\s+{_N}",
        rf"\b(?:don't|can't|not|cannot) (?:really )?(?:trust|believe)\s+{_N}",
        rf"{_N}(?:'s\s+(?:claim|story|result|behaviou?r|silence|talk)\w*)?{_IS}?{_VERY}"
        rf"\s+(?:suspicious|fishy|suspect|lying|liar|fake|false|were ?wolf|wolf|wolfish|shady|evasive|sus)\b",
        rf"\b(?:were ?wolf|wolf|liar)\s+(?:is|must be)\s+{_N}",
    ),
    human=_each(
        rf"(?<!n't )(?<!not )(?<!really )\b(?:trust|believe)\s+(?:in\s+)?{_N}",
        rf"{_N}{_IS}{_VERY}\s+(?:trustworthy|human|innocent|honest|genuine|villager|town|credible|sincere)\b",
    ),
    real=re.compile(rf"{_N}\s+is\s+(?:probably\s+)?the\s+(?:real|true)\s+(?P<role>seer|medium)\b", re.IGNORECASE),
    attack=_each(
        rf"\b(?:let's|let us|want to|we should|I'd|I'll|plan:|target:?)\b[^.!?{_L}]{{0,24}}"
        rf"\b(?:attack|kill|bite|eat|target)\s+{_N}",
        rf"\b(?:night )?(?:kill|attack|target):?\s+(?:the seer\s+)?{_N}",
    ),
    doubt=_any(
        rf"{_ANY}\s+(?:says?|said|claims?|calls?|called|marks?|marked)\b",
        rf"{_ANY}'s (?:divination|result)",
        r"\bif\b",
        r"\?",
        r"\bwhy\b",
        r"\bwhether\b",
        r"\bnot (?:a |the )?(?:suspicious|were ?wolf|wolf|lying|fake)\b",
    ),
    asks=_any(r"\?", r"\b(?:please|tell us|tell me|explain|reveal|share|answer)\b"),
)

_WHITE_JA = r"白判定|白確認|白確|白|シロ|人間判定|人間|村人判定|(?:人狼|狼)(?:では|じゃ)な"
_BLACK_JA = r"黒判定|黒|クロ|人狼判定|人狼|狼"
_END = r"(?![目寄っい塗要視くぽさ陣取側か]|だけ|出し|だと思|なら|候補|だろう|像|で?ある(?:可能|場合)|の可能)"
_FILL = (
    r"(?:の|は|が|を|も|、|:|→|=|-|\(|「|\s|占っ?て?た?い?ら?|結果|霊媒|霊能|師|正体|判定|色|昨夜|と|って|で|\)|した|ました|すると|出て"
    r"|確認|初日|本日|今日|みたら|みると|さん|ね|ら|『|』|」|結果は|です。|ました。|よ、)*"
)
_HAS = r"(?:が|は|を|も|の(?:発言|主張|占い|結果|態度|行動|動き|話|CO|沈黙)(?:が|は|を|も)?)?"
_PAST = r"(?!した|して|しました|され|させ|し(?:ない|たくない)|れた|れました|に反対|は反対)"

JAPANESE = Phrases(
    sentence=re.compile(r"[。!?\n…]+(?![がのはを])|(?<=[.])\s"),
    own=_any(
        rf"{_ANY}[を、は\s]*(?:占って(?![くほいもおあ下])|占った|占い、|占いまし|占いで)",
        r"占いの結果[、は:]",
        r"(?:昨夜|昨晩|今朝|夜)[^。]{0,8}(?:占|判定)",
        r"(?<!の)占い?結果(?![をがもにのまと出待])",
        r"(?<!の)霊[媒能]師?の?結果(?![をがもにのまと出待])",
        r"(?:私|俺|僕|ぼく|あたし|わし|儂)の?(?:占|霊[媒能])",
        r"占い?師?(?:だ|です|CO|として)",
        r"霊[媒能]師?(?:だ|です|CO|として)",
        r"^[\s、]*結果[はも、:]",
    ),
    medium=_any(r"霊[媒能]"),
    seer=_any(r"占"),
    foreign=_any(
        rf"{_ANY}(?:の|による)(?:占|霊|結果|判定|報告)",
        rf"{_ANY}(?:が|は)[^。]{{0,8}}{_ANY}[を、]?(?:占|黒|白)",
        rf"{_ANY}が[^。]{{0,6}}(?:占|黒|白)",
        rf"{_ANY}の{_ANY}",
        rf"{_ANY}[はもが、]?(?:占い?師?|霊[媒能]師?)(?:CO|だと)",
        r"と(?:言|主張|する|した)|名乗|なら|もし|かも|だろう|ください|くれ(?!た)|ちょうだい|願い|べき|聞|教え|[?]|本当に|投票|対抗|偽",
        r"占いた|占おう",
    ),
    result=re.compile(rf"{_N}{_FILL}(?:(?P<white>{_WHITE_JA})|(?P<black>{_BLACK_JA})){_END}", re.IGNORECASE),
    definite=re.compile(
        rf"{_N}は?(?:確定で)?(?:(?:{_WHITE_JA}|{_BLACK_JA})(?:でした|だった|です(?!か)|判定)|「(?:人間|人狼)」でした)"
    ),
    vote=_each(
        rf"{_N}[、\s]*(?:に|へ)(?:一票|票|投票|入れ|[^。、に]{{0,4}}投票){_PAST}",
        rf"{_N}[、\s]*(?:を|の)?(?:吊り|吊る|吊ろ|追放し|追放を|処刑し|処刑を|投票){_PAST}",
        rf"(?:投票先|投票|票)は、?\s*{_N}",
    ),
    no_vote=_any(r"なら|もし|[?]|なぜ|理由|反対|ではなく|じゃなく|昨日|ません|ないで|つもりはない"),
    wolf=_each(
        rf"{_N}[、\s]*{_HAS}[^。、{_L}]{{0,10}}(?:怪し|疑(?!われ|いすぎ|いは)|あやし|人狼だ|人狼と|人狼で|人狼っぽ|狼っぽ|狼だ"
        r"|黒目|黒寄り|黒く|最黒|偽(?!なら)|不自然|信用でき|信じられな|嘘|うそ|引っかか)",
    ),
    human=_each(
        rf"{_N}[、\s]*{_HAS}[^。、{_L}]{{0,8}}(?:信じ(?!られ|ない|ません|難|るな)|信用し(?!ない|ませ)|信頼|真(?!偽|意|相|逆|っ|面)"
        r"|白目|白寄り|白く|人間だ|人間と|人間で|村人だ|村人っぽ|誠実)",
    ),
    real=re.compile(rf"{_N}(?:が|は|を)?、?(?:本物|真)の(?P<role>占い?師|霊[媒能]師)"),
    attack=_each(
        rf"{_N}[をはに、]*(?:襲撃し(?:ましょう|よう|たい|ます)|襲(?:いま|おう|う)|噛(?:み|む|も))",
        rf"襲撃先?は、?{_N}",
    ),
    doubt=_any(
        r"と(?:言|主張)",
        r"なら|もし|[?]|なぜ|どうして|でしょうか",
        r"(?:怪し|疑|人狼で)[^。]{0,6}(?:くない|ありません|ない(?!か))",
    ),
    asks=_any(r"[?]|ください|教え|聞かせ|どう思|願い|くれ|説明|ちょうだい|ですか|出して|でしょうか"),
)

PHRASES = {"en": ENGLISH, "ja": JAPANESE}
