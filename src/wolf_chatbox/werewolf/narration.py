"""What the narrator of a game says, and the names of the roles: one table of words per language."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from wolf_chatbox.game import Kind, Player

ENGLISH: dict[str, str] = {
    "narrator": "Moderator",
    "you": "You",
    "to you": "you",
    "nobody": "nobody",
    "comma": ", ",
    "beside": ", ",
    "and": " and ",
    "semicolon": "; ",
    "space": " ",
    # A briefing
    "I am": "You are {name}.",
    "I am, with a role": "You are {name}, {role}.",
    "the other WEREWOLF": "Werewolves beside you: {names}.",
    "the other MASON": "Masons beside you: {names}.",
    "roles": "The roles: {roles}.",
    "a role": "{name} is {role}",
    "before": "The game has not begun.",
    "today": "It is day {day}.",
    "over": "The game is over.",
    "alive": "Alive: {names}.",
    "dead": "Dead: {names}.",
    "at first": "At first: ",
    "on day": "Day {day}: ",
    # What happens
    "night": "Night falls.",
    "ballot vote": "The votes: {votes}.",
    "vote": "{actor} voted for {target}.",
    "of one mind": "{actors} for {target}",
    "ballot attack_vote": "The werewolves' votes for an attack: {votes}.",
    "executed": "{target} was voted out.",
    "executed, with a role": "{target} was voted out and was {role}.",
    "nobody executed": "Nobody was voted out.",
    "attack killed": "The werewolves attacked {target}, who died.",
    "attack failed": "The werewolves attacked {target}, who survived.",
    "nobody attacked": "The werewolves attacked nobody.",
    "died at night": "In the night {names} died.",
    "nobody died": "In the night nobody died.",
    "died": "{target} died.",
    "died, told how": "{target} died ({how}).",
    "divine": "{actor} found out that {target} is {role}.",
    "divine, no result": "{actor} tried to find out what {target} is.",
    "medium": "{actor} found out that {target}, who was voted out, was {role}.",
    "guard": "{actor} guarded {target}.",
    "know": "Told to {to_actor} alone: {text}",
    "know a role": "{actor} found out that {target} is {role}.",
    "won": "The game is over: {side} won.",
    # Who hears what follows
    "channel ": "Everybody hears:",
    "channel whisper": "Only the werewolves hear:",
    "channel thought": "Only thought, not said:",
    "channel grave": "Only the dead hear:",
    # Roles, and what a divination tells
    "HUMAN": "human",
    "VILLAGER": "a villager",
    "SEER": "the seer",
    "MEDIUM": "the medium",
    "BODYGUARD": "the bodyguard",
    "MASON": "a mason",
    "HUNTER": "the hunter",
    "WITCH": "the witch",
    "IDIOT": "the village idiot",
    "ROBBER": "the robber",
    "TROUBLEMAKER": "the troublemaker",
    "DRUNK": "the drunk",
    "INSOMNIAC": "the insomniac",
    "WEREWOLF": "a werewolf",
    "POSSESSED": "the possessed",
    "MINION": "the minion",
    "FOX": "the fox",
    "TANNER": "the tanner",
    # Sides
    "side VILLAGER": "the village",
    "side WEREWOLF": "the side of the werewolves",
    "side FOX": "the fox",
    "side TANNER": "the tanner",
}

JAPANESE: dict[str, str] = {
    "narrator": "司会",
    "you": "あなた",
    "to you": "あなた",
    "nobody": "なし",
    "comma": "、",
    "beside": "・",
    "and": "・",
    "semicolon": "、",
    "space": "",
    "I am": "あなたは{name}です。",
    "I am, with a role": "あなたは{name}、役職は{role}です。",
    "the other WEREWOLF": "仲間の人狼: {names}。",
    "the other MASON": "相方の共有者: {names}。",
    "roles": "役職: {roles}。",
    "a role": "{name}は{role}",
    "before": "ゲームはまだ始まっていません。",
    "today": "今は{day}日目です。",
    "over": "ゲームは終わりました。",
    "alive": "生存者: {names}。",
    "dead": "死亡者: {names}。",
    "at first": "開始時: ",
    "on day": "{day}日目: ",
    "night": "夜になりました。",
    "ballot vote": "投票: {votes}。",
    "vote": "{actor}は{target}に投票しました。",
    "of one mind": "{actors}→{target}",
    "ballot attack_vote": "襲撃先の投票: {votes}。",
    "executed": "{target}が追放されました。",
    "executed, with a role": "{target}が追放されました。役職は{role}でした。",
    "nobody executed": "誰も追放されませんでした。",
    "attack killed": "人狼が{target}を襲撃し、{target}は死亡しました。",
    "attack failed": "人狼が{target}を襲撃しましたが、失敗しました。",
    "nobody attacked": "人狼は誰も襲撃しませんでした。",
    "died at night": "夜の間に{names}が死亡しました。",
    "nobody died": "夜の間に死亡した人はいませんでした。",
    "died": "{target}が死亡しました。",
    "died, told how": "{target}が死亡しました（{how}）。",
    "divine": "{actor}は{target}を占いました。結果は{role}です。",
    "divine, no result": "{actor}は{target}を占いました。",
    "medium": "{actor}は霊媒の結果を知りました。追放された{target}は{role}でした。",
    "guard": "{actor}は{target}を護衛しました。",
    "know": "{to_actor}だけに伝えられたこと: {text}",
    "know a role": "{actor}は{target}が{role}だと知りました。",
    "won": "ゲームは終わりました。{side}の勝利です。",
    "channel ": "全員に聞こえる発言:",
    "channel whisper": "人狼だけに聞こえる囁き:",
    "channel thought": "心の中の考え:",
    "channel grave": "死者だけに聞こえる会話:",
    "HUMAN": "人間",
    "VILLAGER": "村人",
    "SEER": "占い師",
    "MEDIUM": "霊媒師",
    "BODYGUARD": "騎士",
    "MASON": "共有者",
    "HUNTER": "ハンター",
    "WITCH": "魔女",
    "IDIOT": "愚者",
    "ROBBER": "怪盗",
    "TROUBLEMAKER": "いたずらっ子",
    "DRUNK": "酔っぱらい",
    "INSOMNIAC": "不眠症",
    "WEREWOLF": "人狼",
    "POSSESSED": "狂人",
    "MINION": "手先",
    "FOX": "妖狐",
    "TANNER": "吊人",
    "side VILLAGER": "村人陣営",
    "side WEREWOLF": "人狼陣営",
    "side FOX": "妖狐陣営",
    "side TANNER": "吊人",
}


class Narrator:
    """Speaks Japanese in Japanese games, else English, under a name that no player has."""

    def __init__(self, language: str, names: Collection[str]) -> None:
        self._words = JAPANESE if language == "ja" else ENGLISH
        taken = {name.casefold() for name in names}
        self.name, number = self._words["narrator"], 2
        while self.name.casefold() in taken:
            self.name, number = f"{self._words['narrator']} {number}", number + 1

    def say(self, what: str, **slots: object) -> str:
        return self._words[what].format(**slots)

    def role(self, role: str) -> str:
        """The word for a role or for the result of a divination; an unknown one in lower case."""
        return self._words.get(role, role.lower())

    def side(self, side: str) -> str:
        return self._words.get(f"side {side}", side.lower())

    def listed(self, names: Iterable[str], by: str = "comma") -> str:
        return self._words[by].join(names)

    def roles(self, roles: Mapping[str, str]) -> str:
        """Each player's role, by name; empty if no role is known."""
        known = [self.say("a role", name=name, role=self.role(role)) for name, role in roles.items() if role]
        return self.say("roles", roles=self.listed(known)) if known else ""

    def ballot(self, kind: Kind, votes: Mapping[str, str]) -> str:
        """The votes, grouped by target."""
        by_target: dict[str, list[str]] = {}
        for actor, target in votes.items():
            by_target.setdefault(target, []).append(actor)
        shares = [
            self.say("of one mind", actors=self._together(actors), target=target or self.say("nobody"))
            for target, actors in by_target.items()
        ]
        return self.say(f"ballot {kind}", votes=self.listed(shares, "semicolon"))

    def _together(self, names: list[str]) -> str:
        return self._words["and"].join(filter(None, (self.listed(names[:-1], "beside"), names[-1])))

    def identity(self, player: Player) -> str:
        role = player.first_role
        return (
            self.say("I am, with a role", name=player.name, role=self.role(role))
            if role
            else self.say("I am", name=player.name)
        )
