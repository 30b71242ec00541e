"""Lines in which a language model fell out of its role: it refused to answer, or repeated its instructions.

Often it goes on in its role, or an agent pastes the line itself behind a leaked prompt: then only the sentences of the
slip are taken out.

Few patterns, each a phrase that no player says to another. They see a line without spaces, which some agents lose.
"""

from __future__ import annotations

import re

REFUSAL = "model refusal"
LEAK = "leaked prompt"
MAX_LOOK = 4000
"""Characters of a line that are searched."""

_PATTERNS = {
    REFUSAL: (
        # I'm sorry, but I can't assist with that request.
        r"(?:i['’]?m|iam)sorry,?(?:but)?i(?:['’]?munableto|amunableto|cannot|can['’]?t|won['’]?t)"
        r"(?:assist|comply|fulfill|engage|generate|createcontent)",
        r"i(?:['’]?munableto|amunableto|cannot|can['’]?t)(?:assist|help|comply|continue)with"
        r"(?:that|this|your)(?:request|prompt|conversation)",
        r"i(?:['’]?munableto|amunableto|cannot|can['’]?t)fulfill(?:that|this|your)request",
        r"asanai(?:language)?(?:model|assistant)",
        # 申し訳ありませんが、そのリクエストにはお応えできません。
        r"(?:リクエスト|ご要望|ご依頼)には?(?:お応え|お答え|対応)(?:することは|することが)?(?:でき|いたしかね|しかね)",
        r"(?:ai|人工知能|大規模)(?:言語モデル|アシスタント)(?:として|なので|ですので|であるため)",
    ),
    LEAK: (
        r"(?:the|my|this)(?:system)?promptsays",
        r"(?:output|respondwith|replywith)only(?:the)?(?:translation|translated|utterance|json|converted)",
        r"here(?:is|['’]s)the(?:translated|converted|rewritten)(?:text|utterance|line|sentence)",
        r"<\|(?:im_start|im_end|endoftext|eot_id|start_header_id|end_header_id)\|>|<(?:start|end)_of_turn>"
        r"|\[/?inst\]|</?think>",
        # 翻訳結果のみを出力してください。  必ず変換後の発話だけを出力すること。
        r"(?:結果|発話|発言|台詞|セリフ|文章|json)(?:のみ|だけ)を?(?:出力|生成)",
        r"(?:翻訳|変換)(?:して欲しい|してほしい|すべき)(?:文章|発話|発言|文)",
        r"agent\[番号\]",
        r"(?:与えられた|指定された)キャラクターに(?:なりきっ|成り切っ)",
        # <ここにアクション対象のプレイヤー名または発言内容>
        r"^<ここに",
        r"システムプロンプト",
    ),
}
_SLIPS = {reason: re.compile("|".join(patterns), re.IGNORECASE) for reason, patterns in _PATTERNS.items()}


def slip_of(text: str) -> str:
    """REFUSAL or LEAK; empty for a line of the game."""
    bare = "".join(text[:MAX_LOOK].split())
    return next((reason for reason, pattern in _SLIPS.items() if pattern.search(bare)), "")


_SENTENCE = re.compile(r"(?:[^.!?…。！？\n]|\.(?=\d)){0,4000}[.!?…。！？\n]{0,100}\s{0,100}")
_COURTESY = re.compile(
    r"(?:i['’]?mso|iamso|i['’]?m|iam|so)?sorry[.!]|(?:is|if)there(?:['’]?s|is)?any(?:thing|other)|ifyouhaveanyother"
    r"|(?:please)?letmeknowif|feelfreeto(?:ask|reach)"
    r"|(?:大変)?申し訳(?:ありません|ございません)。|(?:他|ほか)に(?:何か)?(?:お手伝い|ご質問|ご要望|お力)",
    re.IGNORECASE,
)
"""How a refusal begins, or ends, in sentences of its own."""
_WORD = re.compile(r"\w")


def without_slips(text: str) -> str:
    """What else is said in a line with a slip: its sentences but for those of the slip; empty if that is nothing."""
    said = [
        sentence
        for sentence in _SENTENCE.findall(text[:MAX_LOOK])
        if not slip_of(sentence) and not _COURTESY.match("".join(sentence.split()))
    ]
    rest = ("".join(said) + text[MAX_LOOK:]).strip()
    return rest if _WORD.search(rest) and not slip_of(rest) else ""
