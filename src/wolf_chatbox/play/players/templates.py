"""What the rules player says: templates in English, and in polite and plain Japanese.

A statement's template is read back as that statement and as nothing else (`statements_in`); a remark as nothing but
questions. `{t}` is the player who is meant, `{a}` and `{b}` are players in a remark, `{I}` is who speaks.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping

from wolf_chatbox.play.players.statements import Statement

Words = Mapping[str, tuple[str, ...]]

ENGLISH: Words = {
    "claim SEER": ("I am the seer.", "I'm the seer here.", "My role is seer."),
    "claim MEDIUM": ("I am the medium.", "I'm the real medium.", "My role is medium."),
    "claim BODYGUARD": ("I am the bodyguard.", "My role is bodyguard."),
    "claim VILLAGER": ("I am a villager.", "I'm just a villager.", "I am only a plain villager."),
    "claim POSSESSED": ("I am the possessed.", "My role is possessed."),
    "result SEER HUMAN": ("I divined {t}: {t} is human.", "My divination result: {t} is human."),
    "result SEER WEREWOLF": ("I divined {t}: {t} is a werewolf.", "My divination result: {t} is a werewolf."),
    "result MEDIUM HUMAN": ("Medium result: {t} was human.", "My medium result: {t} was human."),
    "result MEDIUM WEREWOLF": ("Medium result: {t} was a werewolf.", "My medium result: {t} was a werewolf."),
    "estimate WEREWOLF": (
        "I suspect {t}.",
        "{t} looks suspicious to me.",
        "I think {t} is a werewolf.",
        "I don't trust {t}.",
        "{t} seems fishy.",
        "I am suspicious of {t}.",
    ),
    "estimate HUMAN": (
        "I trust {t}.",
        "{t} seems honest to me.",
        "I think {t} is human.",
        "I believe {t}.",
        "{t} looks innocent to me.",
    ),
    "estimate SEER": ("I believe {t} is the real seer.", "I think {t} is the true seer."),
    "estimate MEDIUM": ("I believe {t} is the real medium.", "I think {t} is the true medium."),
    "vote": (
        "I will vote for {t}.",
        "My vote goes to {t}.",
        "I'm voting for {t} today.",
        "I vote for {t}.",
        "My vote is {t}.",
        "Today I will vote for {t}.",
    ),
    "ask": ("What do you all think?", "Does anybody see it differently?", "Who else has an idea?"),
    "ask SEER": ("Seer: please tell us your result.", "Is there a seer who can tell us something?"),
    "ask MEDIUM": ("Medium: please tell us your result.", "Is there a medium who can tell us something?"),
    "ask name": ("@{t} What do you think?", "@{t} Whom do you have in mind?", "@{t} Please tell us your view."),
    "ask name SEER": ("@{t} Please tell us your seer result.", "@{t} As a seer: what is your result?"),
    "ask name MEDIUM": ("@{t} Please tell us your medium result.", "@{t} As a medium: what is your result?"),
    "attack": ("Let's attack {t} tonight.", "I want to attack {t}.", "We should attack {t} tonight."),
    # Remarks
    "greet": (
        "Hello everybody.",
        "Good evening all of you.",
        "Hi everyone. Let's find the wolves.",
        "Nice to meet you.",
        "Hello from me too.",
        "Hi there. I hope we play a good game.",
        "Good to see you all.",
        "Hi. Let's talk openly.",
        "Greetings to this table.",
        "Hello. I am curious who is hiding something.",
        "Evening. Let's keep a cool head.",
        "Hi all. No rush today.",
    ),
    "deny": (
        "I am not a werewolf.",
        "You have the wrong one.",
        "That is a mistake about me.",
        "You would lose a friend with me.",
        "Do not waste your votes on me.",
    ),
    "two claims": ("{a} and {b} both claim to be the seer.", "{a} or {b} lies about being the seer."),
    "black": ("{a} calls {b} a werewolf.", "{a} marked {b} as a werewolf."),
    "white": ("{a} says that {b} is human.",),
    "human out": (
        "Yesterday {a} went after {b} and we lost a friend.",
        "{a} helped to lose {b} yesterday.",
    ),
    "quiet": (
        "{a} has said little so far.",
        "{a} is very quiet.",
        "We have not heard much from {a}.",
    ),
    "killed": (
        "We lost {a} last night.",
        "Poor {a} died last night.",
        "I am sorry for {a}.",
        "The night took {a} from us.",
    ),
    "no result": ("I have no result to tell.", "I have nothing special to report."),
    "unsure": (
        "I am not sure yet.",
        "There is little to go by yet.",
        "Let's listen to everybody first.",
        "I keep an open mind.",
        "I need to hear more.",
        "That does not settle it for me.",
    ),
    "together": ("Let's stand together today.", "We need one target today."),
    "follow": ("Wolf: I am on your side.",),
    "hide": ("Let's stay quiet and look harmless.", "I will act like a villager.", "I'll keep my head down by day."),
    "agreed": ("Agreed.", "Fine with me.", "Good choice."),
    "false seer": (
        "{a} is no seer.",
        "{a} cannot be the seer.",
        "Do not follow {a}.",
    ),
}
POLITE: Words = {
    "claim SEER": ("私は占い師です。", "占い師COします。", "私の役職は占い師です。"),
    "claim MEDIUM": ("私は霊媒師です。", "霊媒師COします。", "私の役職は霊媒師です。"),
    "claim BODYGUARD": ("私は騎士です。", "騎士COします。"),
    "claim VILLAGER": ("私は村人です。", "私の役職は村人です。"),
    "claim POSSESSED": ("私は狂人です。", "狂人COします。"),
    "result SEER HUMAN": (
        "{t}さんを占った結果、人間でした。",
        "占い結果、{t}さんは人間でした。",
        "{t}さんを占って白でした。",
    ),
    "result SEER WEREWOLF": (
        "{t}さんを占った結果、人狼でした。",
        "占い結果、{t}さんは人狼でした。",
        "{t}さんを占って黒でした。",
    ),
    "result MEDIUM HUMAN": ("霊媒結果、{t}さんは人間でした。", "霊媒結果、{t}さんは白でした。"),
    "result MEDIUM WEREWOLF": ("霊媒結果、{t}さんは人狼でした。", "霊媒結果、{t}さんは黒でした。"),
    "estimate WEREWOLF": (
        "{t}さんが怪しいと思います。",
        "{t}さんを疑っています。",
        "{t}さんは人狼だと思います。",
        "{t}さんの発言は不自然です。",
        "{t}さんが一番怪しいです。",
    ),
    "estimate HUMAN": (
        "{t}さんを信じます。",
        "{t}さんは人間だと思います。",
        "{t}さんを信頼しています。",
        "{t}さんは村人だと思います。",
    ),
    "estimate SEER": ("{t}さんが本物の占い師だと思います。", "{t}さんが真の占い師だと見ています。"),
    "estimate MEDIUM": ("{t}さんが本物の霊媒師だと思います。", "{t}さんが真の霊媒師だと見ています。"),
    "vote": (
        "{t}さんに投票します。",
        "今日は{t}さんに投票します。",
        "投票先は{t}さんです。",
        "私の票は{t}さんに入れます。",
        "今日の投票は{t}さんにします。",
    ),
    "ask": ("皆さんはどう思いますか?", "他に意見のある方はいますか?", "違う考えの方はいますか?"),
    "ask SEER": ("占い師の方、結果を教えてください。", "占い師の方は名乗り出てください。"),
    "ask MEDIUM": ("霊媒師の方、結果を教えてください。", "霊媒師の方は名乗り出てください。"),
    "ask name": ("{t}さんはどう思いますか?", "{t}さんの考えを聞かせてください。", "@{t} 誰が気になりますか?"),
    "ask name SEER": ("{t}さん、占いの結果を教えてください。", "@{t} 占いの結果を聞かせてください。"),
    "ask name MEDIUM": ("{t}さん、霊媒の結果を教えてください。", "@{t} 霊媒の結果を聞かせてください。"),
    "attack": ("今夜は{t}さんを襲撃しましょう。", "{t}さんを襲撃したいです。", "襲撃先は{t}さんにしましょう。"),
    "greet": (
        "皆さん、こんにちは。",
        "よろしくお願いします。",
        "はじめまして。落ち着いて話し合いましょう。",
        "良い議論にしましょう。",
        "どうぞよろしくお願いいたします。",
        "こんばんは。気軽に話しかけてくださると嬉しいです。",
        "皆さんのお話を楽しみにしています。",
        "力を合わせていきましょう。",
    ),
    "deny": (
        "私は人狼ではありません。",
        "それは誤解です。",
        "私を選ぶのは間違いです。",
        "私は村の味方です。",
        "その疑いは外れています。",
    ),
    "two claims": (
        "{a}さんと{b}さんの二人が占い師を名乗っています。",
        "{a}さんと{b}さんのどちらかが占い師を騙っています。",
    ),
    "black": ("{a}さんは{b}さんに黒を出しました。",),
    "white": ("{a}さんは{b}さんに白を出しました。",),
    "human out": ("{a}さんは昨日、無実の{b}さんに投票していました。",),
    "quiet": ("{a}さんは発言が少ないです。", "{a}さんはまだあまり話していません。"),
    "killed": ("昨夜は{a}さんが犠牲になりました。", "{a}さんが亡くなったのは残念です。"),
    "no result": ("お伝えできる結果はありません。", "特別な情報は持っていません。"),
    "unsure": (
        "まだ決め手がありません。",
        "まずは皆さんの話を聞きたいところです。",
        "まだ情報が足りません。",
        "もう少し様子を見ます。",
        "今は判断を保留します。",
    ),
    "together": ("今日は票をまとめましょう。", "票が割れないようにしましょう。"),
    "follow": ("人狼の方、私は味方です。",),
    "hide": ("目立たないようにしましょう。", "昼は村人として振る舞います。", "昼は静かに過ごします。"),
    "agreed": ("賛成です。", "それでいきましょう。", "異論はありません。"),
    "false seer": (
        "{a}さんは占い師ではありません。",
        "{a}さんの話に乗らないでください。",
    ),
}
PLAIN: Words = {
    "claim SEER": ("{I}は占い師だ。", "占い師COする。", "{I}の役職は占い師だ。"),
    "claim MEDIUM": ("{I}は霊媒師だ。", "霊媒師COする。", "{I}の役職は霊媒師だ。"),
    "claim BODYGUARD": ("{I}は騎士だ。", "騎士COする。"),
    "claim VILLAGER": ("{I}は村人だよ。", "{I}の役職は村人だ。"),
    "claim POSSESSED": ("{I}は狂人だ。", "狂人COする。"),
    "result SEER HUMAN": ("{t}を占ったら人間だった。", "占い結果、{t}は人間だったよ。", "{t}を占って白だった。"),
    "result SEER WEREWOLF": ("{t}を占ったら人狼だった。", "占い結果、{t}は人狼だったよ。", "{t}を占って黒だった。"),
    "result MEDIUM HUMAN": ("霊媒結果、{t}は人間だった。", "霊媒結果、{t}は白だったよ。"),
    "result MEDIUM WEREWOLF": ("霊媒結果、{t}は人狼だった。", "霊媒結果、{t}は黒だったよ。"),
    "estimate WEREWOLF": (
        "{t}が怪しいと思う。",
        "{t}を疑っている。",
        "{t}は人狼だと思う。",
        "{t}の発言は不自然だ。",
        "{t}が一番怪しいな。",
    ),
    "estimate HUMAN": (
        "{t}を信じる。",
        "{t}は人間だと思う。",
        "{t}を信頼している。",
        "{t}は村人だと思う。",
    ),
    "estimate SEER": ("{t}が本物の占い師だと思う。", "{t}が真の占い師だと見ている。"),
    "estimate MEDIUM": ("{t}が本物の霊媒師だと思う。", "{t}が真の霊媒師だと見ている。"),
    "vote": (
        "{t}に投票する。",
        "今日は{t}に投票するよ。",
        "投票先は{t}だ。",
        "{I}の票は{t}に入れる。",
        "今日の投票は{t}にする。",
    ),
    "ask": ("みんなはどう思う?", "他に意見はある?", "違う考えの人はいる?"),
    "ask SEER": ("占い師は結果を教えてくれ。", "占い師は名乗り出てくれ。"),
    "ask MEDIUM": ("霊媒師は結果を教えてくれ。", "霊媒師は名乗り出てくれ。"),
    "ask name": ("{t}はどう思う?", "{t}の考えを聞かせて。", "@{t} 誰が気になる?"),
    "ask name SEER": ("{t}、占いの結果を教えて。", "@{t} 占いの結果を聞かせて。"),
    "ask name MEDIUM": ("{t}、霊媒の結果を教えて。", "@{t} 霊媒の結果を聞かせて。"),
    "attack": ("今夜は{t}を襲撃しよう。", "{t}を襲撃したい。", "襲撃先は{t}にしよう。"),
    "greet": (
        "みんな、こんにちは。",
        "よろしく。",
        "はじめまして。じっくり話そう。",
        "いい議論にしよう。",
        "やあ、よろしくな。",
        "こんばんは。気楽にいこう。",
        "みんなの話を楽しみにしてるよ。",
        "力を合わせていこう。",
    ),
    "deny": (
        "{I}は人狼じゃない。",
        "それは誤解だ。",
        "{I}を選ぶのは間違いだ。",
        "{I}は村の味方だ。",
        "その疑いは外れている。",
    ),
    "two claims": ("{a}と{b}の二人が占い師を名乗っている。", "{a}と{b}のどちらかが占い師を騙っている。"),
    "black": ("{a}は{b}に黒を出した。",),
    "white": ("{a}は{b}に白を出した。",),
    "human out": ("{a}は昨日、無実の{b}に投票していた。",),
    "quiet": ("{a}は発言が少ない。", "{a}はまだあまり話していない。"),
    "killed": ("昨夜は{a}が犠牲になった。", "{a}が死んだのは残念だ。"),
    "no result": ("伝えられる結果はない。", "特別な情報は持っていない。"),
    "unsure": (
        "まだ決め手がない。",
        "まずはみんなの話を聞きたい。",
        "まだ情報が足りない。",
        "もう少し様子を見る。",
        "今は判断を保留する。",
    ),
    "together": ("今日は票をまとめよう。", "票が割れないようにしよう。"),
    "follow": ("人狼、{I}は味方だ。",),
    "hide": ("目立たないようにしよう。", "昼は村人として振る舞う。", "昼は静かに過ごす。"),
    "agreed": ("賛成だ。", "それでいこう。", "異論はない。"),
    "false seer": (
        "{a}は占い師じゃない。",
        "{a}の話に乗らないでくれ。",
    ),
}
THOUGHTS: Mapping[str, tuple[str, str]] = {
    "suspect": ("{t} is a wolf with {p} percent.", "{t}が人狼である確率は{p}%だ。"),
    "scapegoat": ("The village may well vote {t} out.", "村は{t}を追放するかもしれない。"),
    "divine": ("About {t} I want to know more.", "{t}の正体を確かめたい。"),
    "guard": ("The wolves may want {t} dead.", "人狼は{t}を狙いそうだ。"),
    "attack": ("{t} is the greatest danger for us.", "{t}が一番邪魔だ。"),
    "claim": ("The village must know what I found out.", "結果を村に伝えなければならない。"),
    "fake": ("They shall take me for the seer.", "占い師だと思わせたい。"),
    "deny": ("I must not be voted out.", "追放されるわけにはいかない。"),
    "power": ("With the wolf I have the majority.", "人狼と組めば過半数だ。"),
    "talk": ("Perhaps somebody gives himself away.", "誰かがぼろを出すかもしれない。"),
    "over": ("I have said what I wanted to say.", "言うべきことは言った。"),
}
"""Why the player answered as it did, for the reveal at the end: English, Japanese."""
_SENTENCE = re.compile(r"(?<=[.!?。])\s*")
SELVES = ("私", "僕", "俺")
STATEMENTS = tuple(key for key in ENGLISH if key.split()[0] in ("claim", "result", "estimate", "vote", "ask", "attack"))
REMARKS = tuple(key for key in ENGLISH if key not in STATEMENTS)


def key_of(statement: Statement) -> str:
    """Which templates say this statement."""
    match statement.what:
        case "claim":
            return f"claim {statement.role}"
        case "result":
            return f"result {statement.role or 'SEER'} {statement.result}"
        case "estimate":
            return f"estimate {statement.role}"
        case "ask":
            return " ".join(["ask", *(["name"] if statement.target else []), *filter(None, [statement.role])])
        case _:
            return statement.what


class Voice:
    """Puts statements and remarks into words, in the manner of one player, and not as somebody said it before."""

    def __init__(self, language: str, chance: random.Random) -> None:
        self._chance, self._self = chance, "私"
        self._heard: set[str] = set()
        self._words, self.space = (ENGLISH, " ") if language != "ja" else (POLITE, "")
        if language == "ja" and chance.random() < 0.5:
            self._words, self._self = PLAIN, chance.choice(SELVES)

    def state(self, statement: Statement) -> str:
        return self.remark(key_of(statement), t=statement.target)

    def hear(self, text: str) -> None:
        """Somebody said this; it is not said again in the same words while there are others."""
        self._heard.update(part for part in _SENTENCE.split(text) if part)

    def remark(self, key: str, **names: str) -> str:
        """One of the templates of a key."""
        texts = [template.format(I=self._self, **names) for template in self._words[key]]
        fresh = [text for text in texts if _SENTENCE.split(text)[0] not in self._heard]
        if not fresh:
            self._heard -= {_SENTENCE.split(text)[0] for text in texts}
        chosen = self._chance.choice(fresh or texts)
        self.hear(chosen)
        return chosen
