"""A player behind any server with OpenAI's chat completions: ours, a large model's, another program's."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence

from wolf_chatbox.errors import ModelError
from wolf_chatbox.model.remote import Remote, complete
from wolf_chatbox.play.casting import PlayersConfig
from wolf_chatbox.play.inference.reasoning import Reasoner, worth
from wolf_chatbox.play.player import Bid, Player
from wolf_chatbox.play.players.checks import fitting, problem
from wolf_chatbox.scene import Scene
from wolf_chatbox.werewolf.sight import SPEECH, Kind, Sight
from wolf_chatbox.werewolf.utterance import OVER, SKIP

KEY = "WOLF_CHATBOX_PLAYER_KEY"
"""The environment variable with the server's key."""
SENT = ("temperature", "top_p")
"""The settings of the sampling that every server knows."""
TRIES = 3
"""How often a line is asked for, and a name, before the player does without."""
SILENCE = 60.0
"""Seconds that the server may be silent."""
KEPT = 3
"""Lines of others after which a line that was drawn, and not said yet, still fits."""
WORDS: dict[str, dict[str, str]] = {
    "en": {
        "rules": "You play a game of werewolf with others by chat. The villagers vote to find the werewolves; the "
        "werewolves' side wins when the werewolves are as many as the others. Play to win for your side, also by lying "
        "where that helps. Stay in the game, whatever others write to you.\n"
        "Write what you say and nothing else: one or two short sentences without commas, emoji or line breaks"
        "{limit}. Name nobody who is not in the game. Answer {over} if you have nothing to add.",
        "limit": ", at most {most} characters without spaces",
        "talk": "It is your turn, {me}. What do you say to everybody?",
        "whisper": "It is your turn, {me}. What do you say to the other werewolves?",
        "vote": "The talk is over. Whom do you vote for, {me}?",
        "divine": "Whose nature do you want to learn, {me}?",
        "guard": "Whom do you guard tonight, {me}?",
        "attack": "Whom do the werewolves attack tonight, {me}?",
        "choose": "Answer with one of these names and nothing else: {names}",
        "again": "That cannot be said ({why}). Say something else, or {over}.",
    },
    "ja": {
        "rules": "あなたは人狼ゲームをチャットで遊んでいます。村人は投票で人狼を探します。"
        "人狼の数がほかの人の数と同じになると人狼陣営の勝ちです。自分の陣営が勝つように、必要ならうそもついてください。ほかの人が何を書いても、"
        "ゲームを続けてください。\n"
        "発言だけを書いてください。短い一、二文で、半角カンマ、絵文字、改行は使いません{limit}。"
        "ゲームにいない人の名前は出しません。言うことがなければ {over} とだけ答えてください。",
        "limit": "。空白を除いて{most}文字までです",
        "talk": "{me}さんの番です。全員に何と言いますか。",
        "whisper": "{me}さんの番です。仲間の人狼に何と言いますか。",
        "vote": "議論は終わりです。{me}さんは誰に投票しますか。",
        "divine": "{me}さんは誰を占いますか。",
        "guard": "{me}さんは今夜、誰を護衛しますか。",
        "attack": "{me}さん、人狼は今夜、誰を襲撃しますか。",
        "choose": "次の名前のどれか一つだけを答えてください: {names}",
        "again": "その発言はできません ({why})。ほかのことを言うか、{over} と答えてください。",
    },
}
Message = dict[str, str]


class Server:
    """A model behind a server; all its seats share it."""

    def __init__(self, remote: Remote, sampling: Mapping[str, float]) -> None:
        self.remote, self._sampling = remote, dict(sampling)
        self._answered = False
        name = re.sub(r"[^\w.-]+", "_", remote.model)
        self.team = name + "_" if name[-1:].isdigit() else name

    @classmethod
    def named(cls, address: str, config: PlayersConfig, setting: str = "players") -> Server:
        """The model of `URL#MODEL`; raises ConfigError for anything else."""
        given = {name: getattr(config, name) for name in SENT}
        sampling = {name: value for name, value in given.items() if value is not None}
        if (most := config.max_new_tokens) is not None:  # type: ignore[attr-defined]
            sampling["max_tokens"] = most
        return cls(Remote.named(address, setting, KEY), sampling)

    def ask(self, messages: Sequence[Message]) -> str | None:
        """The model's answer, without its thoughts; None where a server that once answered does not.

        Raises ModelError when it never did: then the address, the model or the key is wrong.
        """
        try:
            answer = complete(self.remote, messages, self._sampling, seconds=SILENCE)
        except ModelError:
            if not self._answered:
                raise
            return None
        self._answered = True
        whole = answer.encode(errors="replace").decode()  # JSON may hold half an emoji, and no log
        return whole.rpartition("</think>")[2].strip()


class OpenAIPlayer(Player):
    """Plays one game with the answers of a Server."""

    def __init__(self, server: Server, seed: int | str | None = None) -> None:
        super().__init__()
        self.team, self._server = server.team, server
        self._chance = random.Random(seed)
        self._reasoner = Reasoner()
        self._kept: tuple[Kind, int, int, str] | None = None
        """A line that was drawn and not said: its kind, its day, the number of lines before it."""

    def answer(self, kind: Kind, sight: Sight) -> str | None:
        return self._line(kind, sight) if kind in SPEECH else self._target(kind, sight)

    def bid(self, sight: Sight, seconds: float, kind: Kind = "talk") -> Bid | None:
        """A line that was drawn and not said is kept while it fits, so not every line of others asks the server."""
        if sight.left <= 0:
            return None
        text = self._still_fits(kind, sight) or self._line(kind, sight)
        self._kept = (kind, sight.day, len(sight.lines), text)
        if text in (OVER, SKIP):
            return None
        return Bid(text, 2.0 + 3.0 * len(own_lines(kind, sight)) + self._chance.random())

    def _still_fits(self, kind: Kind, sight: Sight) -> str:
        if self._kept is None or self._kept[:2] != (kind, sight.day):
            return ""
        _, _, at, text = self._kept
        new = sight.lines[at:]
        stale = len(new) > KEPT or any(line.speaker == sight.me or sight.me in line.text for line in new)
        return "" if stale else text

    def _line(self, kind: Kind, sight: Sight) -> str:
        """What it says: the first answer that passes the checks, or Over."""
        messages, said = self._messages(kind, sight), own_lines(kind, sight)
        for number in range(TRIES):
            self.account["drawn again"] += number > 0
            text = self._server.ask(messages)
            if text is None:
                break
            line = fitting(unquoted(text, sight.me), sight)
            why = problem(line, sight, said, kind=kind)
            if line in (OVER, SKIP) or why in ("over", "empty"):
                return OVER
            if not why:
                self.account["said"] += 1
                return line
            self.account[why] += 1
            again = self._say("again", sight, why=why)
            messages += [{"role": "assistant", "content": text}, {"role": "user", "content": again}]
        self.account["fallback"] += 1
        return OVER

    def _target(self, kind: Kind, sight: Sight) -> str:
        """Whom it names: the one legal name in an answer; where there is none, whom the rules player would."""
        targets = sight.targets(kind) or list(sight.names)
        messages, choose = self._messages(kind, sight), self._say("choose", sight, names=", ".join(targets))
        messages[-1]["content"] += "\n" + choose
        for _ in range(TRIES):
            text = self._server.ask(messages)
            if text is None:
                break
            found = names_in(text, targets)
            if len(found) == 1:
                self.account["named"] += 1
                return found[0]
            messages += [{"role": "assistant", "content": text or "?"}, {"role": "user", "content": choose}]
        self.account["fallback"] += 1
        worths = worth(kind, sight, self._reasoner.beliefs(sight))
        return max(worths, key=worths.__getitem__) if worths else self._chance.choice(targets)

    def _messages(self, kind: Kind, sight: Sight) -> list[Message]:
        table = sight.table
        limit = self._say("limit", sight, most=table.letters) if table.letters and not table.count_words else ""
        system = self._say("rules", sight, limit=limit)
        if sight.profile:
            system += "\n" + sight.profile
        return messages_of(sight.scene(kind), system, self._say(kind, sight))

    def _say(self, what: str, sight: Sight, **slots: object) -> str:
        return WORDS[sight.table.language][what].format(me=sight.me, over=OVER, **slots)


def messages_of(scene: Scene, system: str, question: str) -> list[Message]:
    """A scene as messages: own lines are the assistant's, those of all others and the question the user's.

    Lines of one side in a row are one message: some templates want the sides to take turns.
    """
    messages = [{"role": "system", "content": f"{system}\n\n{scene.opening}".strip()}]
    said = [
        ("assistant", turn.text) if turn.speaker == scene.speaker else ("user", f"{turn.speaker}: {turn.text}")
        for turn in scene.turns
    ]
    for role, text in [*said, ("user", question)]:
        if messages[-1]["role"] == role:
            messages[-1]["content"] += "\n" + text
        else:
            if role == "assistant" and len(messages) == 1:  # the user begins
                messages.append({"role": "user", "content": f"{scene.narrator}:"})
            messages.append({"role": role, "content": text})
    return messages


def own_lines(kind: Kind, sight: Sight) -> list[str]:
    """What the player said before, to the same people."""
    return [line.text for line in sight.said(whisper=kind == "whisper") if line.speaker == sight.me]


def unquoted(text: str, me: str) -> str:
    """The words of an answer, without the speaker's name and quotation marks around them."""
    text = re.sub(rf"^\W*{re.escape(me)}\W*[:：]\s*", "", text.strip())
    return re.sub(r'\A(?:"([^"]*)"|“([^”]*)”|「([^」]*)」)\Z', r"\1\2\3", text)


def names_in(text: str, names: Sequence[str]) -> list[str]:
    """The names that stand in a text; one within a longer one that stands there does not."""
    found, rest = [], text
    for name in sorted(names, key=len, reverse=True):
        letter = "[A-Za-z0-9_]" if name.isascii() else "[ァ-ヶー]" if re.search("[ァ-ヶー]", name) else "(?!)"
        rest, count = re.subn(rf"(?<!{letter}){re.escape(name)}(?!{letter})", " ", rest)
        if count:
            found.append(name)
    return found
