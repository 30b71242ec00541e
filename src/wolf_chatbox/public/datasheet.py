"""What stands beside a corpus of games: where each came from, under which licence, what is in it, and what is not.

The questions are those of Gebru et al. (2021), Datasheets for Datasets, https://arxiv.org/abs/1803.09010, as far as counts can answer them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Literal

from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.game import SIDES
from wolf_chatbox.public.catalogue import PublicSet

Language = Literal["en", "ja"]


@dataclass
class Part:
    """What came of one set; `tally` says what was kept and dropped."""

    set: PublicSet
    tally: Tally = field(default_factory=Tally)
    games: Counter[str] = field(default_factory=Counter)
    """By language, as the other counts of games."""
    seats: Counter[int] = field(default_factory=Counter)
    """Games by how many play."""
    roles: Counter[str] = field(default_factory=Counter)
    winners: Counter[str] = field(default_factory=Counter)
    """Games by the side that won; "" where none did or the source does not tell."""
    channels: Counter[str] = field(default_factory=Counter)
    """Utterances by who hears them."""
    characters: int = 0
    recordings: Counter[str] = field(default_factory=Counter)
    """Games by the name that they share with other recordings of them."""

    def add(self, conversation: Conversation) -> None:
        """Count one game."""
        game = conversation.game
        assert game is not None
        self.games[game.language] += 1
        self.seats[len(game.players)] += 1
        self.roles.update(player.first_role or "?" for player in game.players)
        self.winners[game.winner] += 1
        self.channels.update(turn.channel for turn in conversation.turns)
        self.characters += sum(len(turn.text) for turn in conversation.turns)
        if game.same_as:
            self.recordings[game.same_as] += 1

    @property
    def players(self) -> int:
        return sum(count * games for count, games in self.seats.items())


WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "Datasheet",
        "other": "[日本語](datasheet.ja.md)",
        "about": "{games:,} games of werewolf with {utterances:,} utterances, to train and test dialogue models on. One conversation a line, in "
        "wolf_chatbox's JSON Lines: what was said as turns; roles, votes, night actions, deaths and the winner as facts beside them.",
        "files": "Files",
        "files head": "file|language|games|utterances",
        "sets": "Sets",
        "sets head": "set|languages|games|players a game|players|utterances|characters|licence",
        "roles": "Roles",
        "roles about": "Players by the role that they were dealt.",
        "role": "role",
        "unknown": "not told",
        "winners": "Winners",
        "winners about": "Games by the side that won.",
        "none": "none, or not told",
        "channels": "Who hears",
        "channels about": "Utterances by who hears them.",
        "channel": "heard by",
        "": "everybody",
        "whisper": "the wolves",
        "thought": "nobody (thoughts)",
        "grave": "the dead",
        "total": "all",
        "dropped": "What was left out",
        "dropped about": "{read:,} utterances were read = {kept:,} kept + {dropped:,} dropped:",
        "dropped head": "set|reason|utterances",
        "notes": "What the reading noticed:",
        "biases": "Known biases",
        "bias all": "Where the winner or a role is not told, it is left open, not guessed. Names are those of the game, "
        "not of people, unless said otherwise.",
        "same": "{games:,} of the games are recordings of {distinct:,} (translations): wolf_chatbox keeps those of one game on one side of a split. "
        "Whoever splits by other means should do the same, by `same_as`.",
        "sources": "Sources, licences, citations",
        "licence": "Licence",
        "cite": "Cite",
        "texts": "The licences' texts are in `licences.txt`; they go with every copy of the games.",
        "made": "How it was made",
        "made about": "By wolf_chatbox {version}. Every file was checked by its SHA-256 before it was read. "
        "Texts are as in the source: nothing was joined, "
        "repaired, translated or scrubbed, and what was dropped is counted above.",
        "unchecked": "No checksums were known for {names}: its files are as they came.",
    },
    "ja": {
        "title": "データシート",
        "other": "[English](datasheet.md)",
        "about": "対話モデルの学習と評価のための、人狼 {games:,} ゲーム、{utterances:,} 発言です。"
        "形式は wolf_chatbox の JSON Lines で、1 行が 1 ゲームです。"
        "話されたことは発言として、役職、投票、夜の行動、死、勝敗は事実としてその横に入っています。",
        "files": "ファイル",
        "files head": "ファイル|言語|ゲーム|発言",
        "sets": "データセット",
        "sets head": "名前|言語|ゲーム|ゲームの人数|のべ人数|発言|文字数|ライセンス",
        "roles": "役職",
        "roles about": "最初に配られた役職ごとの、のべ人数です。",
        "role": "役職",
        "unknown": "不明",
        "winners": "勝敗",
        "winners about": "勝った陣営ごとのゲーム数です。",
        "none": "なし、または不明",
        "channels": "誰に聞こえるか",
        "channels about": "発言が誰に聞こえるかの内訳です。",
        "channel": "聞こえる相手",
        "": "全員",
        "whisper": "人狼どうし",
        "thought": "誰にも聞こえない（心の中）",
        "grave": "死者",
        "total": "合計",
        "dropped": "除いたもの",
        "dropped about": "読んだ発言 {read:,} = 残した {kept:,} + 除いた {dropped:,}。内訳（理由は英語のまま）:",
        "dropped head": "名前|理由|発言",
        "notes": "読み込みのときに気づいたこと（英語のまま）:",
        "biases": "知られている偏り",
        "bias all": "勝敗や役職がわからないところは、推測せず空のままにしてあります。"
        "名前は、ことわりがなければゲームの中の名前で、人の名前ではありません。",
        "same": "このうち {games:,} ゲームは、{distinct:,} ゲームを別々に記録したもの（翻訳）です。"
        "wolf_chatbox は同じゲームの記録を、学習用と検証用の両方に分けることはありません。"
        "ほかの方法で分けるときも、`same_as` を見て同じようにしてください。",
        "sources": "出典、ライセンス、引用",
        "licence": "ライセンス",
        "cite": "引用",
        "texts": "ライセンスの本文は `licences.txt` にあります。ゲームを配るときは必ず添えてください。",
        "made": "作り方",
        "made about": "wolf_chatbox {version} が作りました。どのファイルも、読む前に SHA-256 で確かめました。"
        "文章は元のままで、つなげたり、直したり、訳したり、伏せたりしていません。"
        "除いたものはすべて上に数えてあります。",
        "unchecked": "{names} にはチェックサムが知られていないため、届いたままのファイルを使いました。",
    },
}


def datasheet(parts: Sequence[Part], files: Mapping[str, tuple[str, int, int]], language: Language) -> str:
    """The datasheet as markdown; `files` gives each file's language, games and utterances."""
    words = WORDS[language]
    names = [part.set.name for part in parts]
    kept, dropped = sum(part.tally.kept for part in parts), sum(part.tally.dropped.total() for part in parts)
    games = sum(part.games.total() for part in parts)
    lines = [f"# {words['title']}", "", words["other"], "", words["about"].format(games=games, utterances=kept)]

    def chapter(name: str, *body: str) -> None:
        lines.extend(["", f"## {words[name]}", "", *body])

    def counted(
        name: str, head: str, counts: Sequence[Counter[str]], keys: Iterable[str], label: Mapping[str, str]
    ) -> None:
        rows: list[Sequence[str | int]] = [
            [label.get(key, key), *(each[key] for each in counts), sum(each[key] for each in counts)] for key in keys
        ]
        chapter(name, words[f"{name} about"], "", *table([head, *names, words["total"]], rows))

    chapter("files", *table(words["files head"].split("|"), [(f"`{name}`", *rest) for name, rest in files.items()]))
    rows = []
    for part in parts:
        sizes = ", ".join(str(size) for size in sorted(part.seats))
        spoken = ", ".join(f"{code} {count:,}" for code, count in part.games.most_common())
        rows.append(
            (
                part.set.name,
                spoken,
                part.games.total(),
                sizes,
                part.players,
                part.tally.kept,
                part.characters,
                part.set.licence,
            )
        )
    chapter("sets", *table(words["sets head"].split("|"), rows))
    roles = sorted({role for part in parts for role in part.roles}, key=lambda role: ([*SIDES, role].index(role), role))
    counted("roles", words["role"], [part.roles for part in parts], roles, {"?": words["unknown"]})
    winners = sum((part.winners for part in parts), Counter[str]())
    counted(
        "winners",
        "",
        [part.winners for part in parts],
        [side for side, _ in winners.most_common()],
        {"": words["none"]},
    )
    channels = sum((part.channels for part in parts), Counter[str]())
    counted(
        "channels",
        words["channel"],
        [part.channels for part in parts],
        [each for each, _ in channels.most_common()],
        words,
    )

    reasons = [(part.set.name, reason, count) for part in parts for reason, count in part.tally.dropped.most_common()]
    body = [
        words["dropped about"].format(read=kept + dropped, kept=kept, dropped=dropped),
        "",
        *table(words["dropped head"].split("|"), reasons),
    ]
    notes = [f"- {part.set.name}: {note}" for part in parts for note in part.tally.notes]
    chapter("dropped", *body, *(["", words["notes"], "", *notes] if notes else []))
    biases = [f"- {part.set.name}: {part.set.bias_ja if language == 'ja' else part.set.bias}" for part in parts]
    recordings = sum((part.recordings for part in parts), Counter[str]())
    twice = {name: count for name, count in recordings.items() if count > 1}
    same = [words["same"].format(games=sum(twice.values()), distinct=len(twice))] if twice else []
    chapter("biases", *biases, "", words["bias all"], *same)
    sources: list[str] = []
    for part in parts:
        what = part.set.what_ja if language == "ja" else part.set.what
        licence = f"{words['licence']}: {part.set.licence} ({part.set.copyright})"
        sources += [f"### {part.set.name}", "", f"{part.set.title}: {what}.", f"<{part.set.address}>", "", licence]
        sources += ["", f"{words['cite']}: {part.set.citation}", ""]
    chapter("sources", *sources, words["texts"])
    unchecked = ", ".join(part.set.name for part in parts if not part.set.files)
    chapter(
        "made",
        words["made about"].format(version=version("wolf_chatbox")),
        *([words["unchecked"].format(names=unchecked)] if unchecked else []),
    )
    return "\n".join(lines) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str | int]]) -> list[str]:
    """A markdown table; numbers stand at the right."""
    rows = list(rows)
    rule = ["---:" if rows and isinstance(cell, int) else "---" for cell in (rows[0] if rows else head)]
    cells = [
        head,
        rule,
        *([f"{cell:,}" if isinstance(cell, int) else cell.replace("|", "\\|") for cell in row] for row in rows),
    ]
    return ["| " + " | ".join(each) + " |" for each in cells]
