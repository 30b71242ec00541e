"""Games of the AIWolf servers: the same in every form, with every line counted; a model's slips are recognised."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wolf_chatbox.config import CleanConfig, ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.cleaning import clean
from wolf_chatbox.data.repair import pieces, respace
from wolf_chatbox.data.split import split
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.game import Game
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.importers.shared.model_slips import LEAK, REFUSAL, slip_of

FIXTURES = Path(__file__).parents[1] / "fixtures"
DATA = Path(__file__).parents[3] / "shared" / "data"
LOG, JSON, REALTIME = (
    FIXTURES / "aiwolf/six.input.log",
    FIXTURES / "aiwolf_json/six.input.json",
    FIXTURES / "aiwolf_json/six_realtime.input.jsonl",
)
CONTEST, TRANSLATED = FIXTURES / "aiwolf/contest.input.log", FIXTURES / "aiwolf/translated.input.log"


def read(path: Path, tally: Tally | None = None, **settings: Any) -> Conversation:
    [conversation] = read_conversations(path, ReadConfig(**settings), tally)
    return conversation


def game_of(conversation: Conversation) -> Game:
    assert conversation.game is not None
    return conversation.game


def forms() -> Iterator[tuple[Path, Path]]:
    """Pairs of files of one game in two forms."""
    yield JSON, LOG
    yield JSON, REALTIME
    for path in sorted(DATA.glob("aiwolf_server_*/game*.json")):
        for other in (path.with_suffix(".log"), path.with_suffix(".realtime.jsonl")):
            if other.exists():
                yield path, other


# One game in several forms


@pytest.mark.parametrize(("one", "other"), list(forms()), ids=lambda path: path.name)
def test_a_game_is_the_same_in_every_form(one: Path, other: Path) -> None:
    counts = Tally(), Tally()
    pair = read(one, counts[0]), read(other, counts[1])
    games = game_of(pair[0]), game_of(pair[1])
    lines = [[(turn.speaker, turn.text, turn.channel) for turn in game.turns] for game in pair]
    # What a medium learns is in the packets alone.
    happened = [[event for event in game.events if event.kind != "medium"] for game in games]
    assert lines[0] == lines[1]
    assert happened[0] == happened[1]
    assert games[0].winner == games[1].winner
    assert games[0].same_as == games[1].same_as
    assert [(player.name, player.role, player.seat) for player in games[0].players] == [
        (player.name, player.role, player.seat) for player in games[1].players
    ]
    assert counts[0].dropped == counts[1].dropped


def test_the_forms_of_a_game_in_one_folder_are_one_game(tmp_path: Path) -> None:
    for path in (LOG, JSON, REALTIME, CONTEST, TRANSLATED):
        shutil.copy(path, tmp_path / path.name.replace(".input", ""))
    tally = Tally()
    found = list(read_conversations(tmp_path, None, tally))
    said = len(read(JSON).turns)
    assert sorted(conversation.group.rpartition("/")[2] for conversation in found) == [
        "contest",
        "six",
        "translated",
    ], "translations are another text"
    assert next(conversation for conversation in found if conversation.group.endswith("six")).game == game_of(
        read(JSON)
    ), "and the first of the forms is the richest"
    assert tally.dropped["game already read"] == 2 * said
    assert tally.kept == sum(len(conversation.turns) for conversation in found)


def test_a_game_that_was_cut_does_not_displace_the_whole_one(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(JSON.read_text()[:40_000])
    shutil.copy(JSON, tmp_path / "b.json")
    cut, whole = read_conversations(tmp_path)
    assert whole.turns == read(JSON).turns
    assert cut.turns == whole.turns[: len(cut.turns)]
    assert len(cut.turns) < len(whole.turns)
    assert game_of(cut).winner == ""


def told(path: Path) -> list[dict[str, Any]]:
    """All that the packets of a game tell of its talk."""
    packets = [json.loads(entry["request"]) for entry in json.loads(path.read_text())["entries"]]
    histories = [
        line for packet in packets for key in ("talk_history", "whisper_history") for line in packet.get(key, [])
    ]
    return histories + [packet["new_talk"] for packet in packets if "new_talk" in packet]


@pytest.mark.parametrize(
    "path",
    [JSON, FIXTURES / "aiwolf_json/group_chat.input.json", *sorted(DATA.glob("aiwolf_server_*/game*.json"))],
    ids=lambda path: path.stem,
)
def test_every_line_that_a_packet_tells_is_there_once(path: Path) -> None:
    lines = {(line["day"], line["agent"], line["idx"], line["text"]) for line in told(path)}
    heard = Counter((agent, text.strip()) for _, agent, _, text in lines if text not in ("Over", "Skip"))
    said = Counter((turn.speaker, turn.text) for turn in read(path).turns)
    assert not heard - said
    assert (said - heard).total() <= 3, "whispers that came too late for any packet"


@pytest.mark.parametrize("number", [1, 2])
def test_what_players_received_holds_every_result_that_is_read(number: int) -> None:
    """A real server's packets, as the players got them, against the game's log; without them, a game of our own."""
    received = DATA / "aiwolf_server_samples" / f"packets_game{number}.jsonl"
    real = received.exists()
    log = received.with_name(f"game{number}.log") if real else LOG
    packets = (
        [json.loads(line)["packet"] for line in received.read_text().splitlines()]
        if real
        else [json.loads(entry["request"]) for entry in json.loads(JSON.read_text())["entries"]]
    )
    infos = [packet["info"] for packet in packets if "info" in packet]
    judged = {
        (info["agent"], info["divine_result"]["target"], info["divine_result"]["result"])
        for info in infos
        if "divine_result" in info
    }
    executed = {(info["day"] - 1, info["executed_agent"]) for info in infos if "executed_agent" in info}
    attacked = {(info["day"] - 1, info["attacked_agent"]) for info in infos if "attacked_agent" in info}
    votes = {(vote["day"], vote["agent"], vote["target"]) for info in infos for vote in info.get("vote_list", [])}
    game = game_of(read(log))
    assert {(event.actor, event.target, event.result) for event in game.events if event.kind == "divine"} == judged
    assert {(event.day, event.target) for event in game.events if event.kind == "execute"} == executed
    assert {
        (event.day, event.target) for event in game.events if event.kind == "attack" and event.result == "killed"
    } == attacked
    assert votes <= {(event.day, event.actor, event.target) for event in game.events if event.kind == "vote"}
    assert all(event.result == "" for event in game.events if event.kind == "execute"), (
        "nobody is shown the role of who is voted out"
    )
    roles = next(packet["info"]["role_map"] for packet in packets if packet["request"] == "FINISH")
    assert {player.name: player.role for player in game.players} == roles


# Translations


def test_a_translation_is_the_same_game_and_stays_on_its_side() -> None:
    one, other, third = read(CONTEST), read(TRANSLATED), read(LOG)
    assert (game_of(one).language, game_of(other).language) == ("ja", "en")
    assert game_of(one).same_as == game_of(other).same_as != game_of(third).same_as
    for seed in range(20):
        training, held, _ = split([one, other, third], 0.4, seed)
        assert ({id(one), id(other)} <= {*map(id, training)}) or ({id(one), id(other)} <= {*map(id, held)})


def test_another_vote_is_another_game(tmp_path: Path) -> None:
    path = tmp_path / "other.log"
    path.write_text(CONTEST.read_text().replace("1,vote,2,3", "1,vote,2,1"))
    assert game_of(read(path)).same_as != game_of(read(CONTEST)).same_as


def test_real_translations_pair_up_and_no_two_games_are_taken_for_one() -> None:
    viewer = DATA / "aiwolf_nlp_viewer"
    found = list(read_conversations(viewer if viewer.exists() else [CONTEST, TRANSLATED, LOG]))
    groups: dict[str, list[str]] = {}
    for conversation in found:
        groups.setdefault(game_of(conversation).same_as, []).append(
            conversation.group.replace("inlg2025_en_", "inlg2025_").replace("translated", "contest")
        )
    assert all(len(set(names)) == 1 for names in groups.values())
    pairs = sum(len(names) == 2 for names in groups.values())
    assert (len(found), pairs) == ((122, 20) if viewer.exists() else (3, 1))


# Records


@pytest.mark.parametrize(
    "path",
    [*sorted((FIXTURES / "aiwolf").glob("*.log")), *sorted(DATA.glob("aiwolf_nlp_viewer/*/*.log"))],
    ids=lambda path: f"{path.parent.name}/{path.stem[:16]}",
)
def test_every_record_of_a_log_is_read(path: Path) -> None:
    """Against a count of lines that begin as records do."""
    begun = Counter(re.findall(r"^[0-9]+,([A-Za-z]+),", path.read_bytes().decode().replace("\r\n", "\n"), re.MULTILINE))
    tally = Tally()
    conversation = read(path, tally)
    events = Counter(event.kind for event in game_of(conversation).events)
    assert tally.read == begun["talk"] + begun["whisper"]
    for kind, name in (
        ("vote", "vote"),
        ("attack_vote", "attackVote"),
        ("attack", "attack"),
        ("execute", "execute"),
        ("divine", "divine"),
        ("guard", "guard"),
    ):
        assert events[kind] == begun[name], kind  # type: ignore[index]
    assert events["end"] == begun["result"]
    assert events["day"] == len(
        set(re.findall(r"^([0-9]+),(?:talk|whisper|vote|attack)", path.read_text(), re.MULTILINE))
    )


def test_turns_know_the_time_where_the_log_does() -> None:
    assert str(read(CONTEST).turns[1].time) == "2026-05-13 04:34:26"
    assert all(turn.time is None for turn in read(LOG).turns)


def test_several_games_in_one_log_are_several(tmp_path: Path) -> None:
    path = tmp_path / "both.log"
    path.write_text(f"{LOG.read_text()}\n{TRANSLATED.read_text()}\n")
    one, other = read_conversations(path)
    assert (one.turns, other.turns) == (read(LOG).turns, read(TRANSLATED).turns)
    assert one.group != other.group


def test_several_games_in_one_realtime_file_are_several(tmp_path: Path) -> None:
    path = tmp_path / "both.jsonl"
    path.write_text(
        REALTIME.read_text() + REALTIME.read_text().replace("01TESTGAME", "02TESTGAME").replace("Poor me.", "Rich me.")
    )
    one, other = read_conversations(path)
    assert one.turns != other.turns
    assert one.group != other.group


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.log", "0,talk,0,0,1,Hello\n0,status,1,SEER,ALIVE,a1,Ann\n", "before any status record"),
        ("b.log", "hello\n", "no players"),
        ("c.json", '{"agents": [], "entries": [{"agent": "Ann", "request": "{]"}]}', "not JSON"),
        ("d.jsonl", '{"event": "トーク", "is_day": true, "id": "1"}\n', 'without "agents"'),
    ],
)
def test_a_file_without_its_beginning_is_told(tmp_path: Path, name: str, content: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(DataError, match=message):
        list(read_conversations(path, ReadConfig(format="aiwolf" if name.endswith(".log") else "aiwolf_json")))


def test_a_game_without_a_word_is_told(tmp_path: Path) -> None:
    path = tmp_path / "silent.log"
    path.write_text(
        "0,status,1,SEER,ALIVE,a1,Ann\n0,status,2,WEREWOLF,ALIVE,b1,Ben\n0,talk,0,0,1,Over\n1,result,1,1,WEREWOLF\n"
    )
    tally = Tally()
    assert list(read_conversations(path, None, tally)) == []
    assert tally.dropped == {"Over (nothing to say)": 1}
    assert any("skipped a game without turns" in note for note in tally.notes)


# What a model says by mistake


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("I'm sorry, but I can't assist with that request.", REFUSAL),
        ("I’m sorry, I cannot comply with that.", REFUSAL),
        ("I'msorry,butIcannotassistwiththatrequest.", REFUSAL),
        ("As an AI language model, I have no feelings.", REFUSAL),
        ("申し訳ありませんが、そのリクエストにはお応えできません。", REFUSAL),
        ("AI言語モデルとして、投票はできません。", REFUSAL),
        ("Wait, the prompt says I must stay short", LEAK),
        ("Output only the translation: I vote for Ann.", LEAK),
        ("以下は翻訳して欲しい文章です。翻訳結果のみを出力してください。", LEAK),
        ("必ず変換後の発話だけを出力すること。", LEAK),
        ("<ここにプレイヤー名を書く>", LEAK),
        ("[INST] Say hello [/INST]", LEAK),
        ("I'm sorry, but I can't trust you today.", ""),
        ("I'm so sorry for our losses. I cannot help the village alone.", ""),
        ("You skipped my prompt, Asuka. Why?", ""),
        ("Your request is strange; I cannot vote for Ann.", ""),
        ("申し訳ありませんが、あなたには投票します。", ""),
        ("申し訳ありませんが、その要求には応じられない。", ""),
        ("AIが人狼だと思います。", ""),
        ("発言だけを見ると、ハルが怪しい。", ""),
        ("ここに来て占い師COか。", ""),
        ("翻訳すると、君は人狼だ。", ""),
    ],
)
def test_a_slip_is_told_from_a_line_of_the_game(text: str, reason: str) -> None:
    assert slip_of(text) == reason


def test_slips_are_dropped_and_counted_or_kept() -> None:
    dropped, kept = Tally(), Tally()
    without, with_ = read(CONTEST, dropped), read(CONTEST, kept, also_keep=("slips",))
    assert dropped.dropped[REFUSAL] == dropped.dropped[LEAK] == 1
    assert len(with_.turns) == len(without.turns) + 2
    assert kept.dropped[REFUSAL] == kept.dropped[LEAK] == 0
    assert [turn for turn in with_.turns if not slip_of(turn.text)] == list(without.turns)
    assert game_of(with_).same_as == game_of(without).same_as


def test_slips_of_the_real_logs_are_those_that_a_person_found() -> None:
    tally = Tally()
    viewer = DATA / "aiwolf_nlp_viewer"
    list(read_conversations(viewer if viewer.exists() else CONTEST, None, tally))
    found = tally.dropped[REFUSAL], tally.dropped[LEAK], tally.changed.total()
    assert found == ((2, 17, 7) if viewer.exists() else (1, 1, 0))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("I'm sorry, but I can't assist with that. But I think Bob is the wolf.", "But I think Bob is the wolf."),
        ("I'm sorry. I cannot assist with that request. If you have any other questions, feel free to ask!", ""),
        ("I'msorry,butIcannotassistwiththatrequest.IvoteforAnn.", "IvoteforAnn."),
        (
            "申し訳ありませんが、そのリクエストにはお応えできません。@マリ、私はケンジが怪しいと思う。",
            "@マリ、私はケンジが怪しいと思う。",
        ),
        (
            "以下は翻訳して欲しい文章です。 翻訳結果のみを出力してください。 私はケンジに投票する。",
            "私はケンジに投票する。",
        ),
        ("以下は翻訳して欲しい文章です。 翻訳結果のみを出力してください。 ...", ""),
        ("与えられたキャラクターになりきって話しなさい。ただし、Agent[番号]の部分は変更しなくて良い。", ""),
        ("Wait, the prompt says 3.5 words.", ""),
    ],
)
def test_what_is_said_beside_a_slip_is_kept(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "game.log"
    log = f"0,status,1,SEER,ALIVE,kita1,Mari\n0,talk,0,0,1,{text}\n0,talk,1,0,1,Good morning.\n"
    path.write_text(log, encoding="utf-8")
    tally = Tally()
    conversation = read(path, tally)
    assert [turn.text for turn in conversation.turns] == [*filter(None, [said]), "Good morning."]
    assert (tally.dropped.total(), tally.changed.total()) == ((0, 1) if said else (1, 0))


def test_only_the_servers_own_words_are_marks(tmp_path: Path) -> None:
    path = tmp_path / "game.log"
    lines = [
        f"0,talk,{at},0,1,{text}\n" for at, text in enumerate(["over", "Over", "SKIP", "skip", "forceskip", "Skip"])
    ]
    path.write_text("".join(["0,status,1,SEER,ALIVE,kita1,Mari\n", *lines]), encoding="utf-8")
    tally = Tally()
    assert [turn.text for turn in read(path, tally).turns] == ["over", "SKIP", "skip", "forceskip"]
    assert tally.dropped == {"Over (nothing to say)": 1, "Skip (nothing to say)": 1}


@pytest.mark.parametrize("folder", ["topical_chat", "llmafia", "real_persona_chat", "rick_and_morty"])
def test_people_make_no_such_slips(folder: str) -> None:
    path = DATA / folder if (DATA / folder).exists() else FIXTURES / "llmafia/games.input.d"
    assert [
        turn.text for conversation in read_conversations(path) for turn in conversation.turns if slip_of(turn.text)
    ] == []


@pytest.mark.parametrize("other", ["one.realtime.jsonl", "two.log"])
def test_two_files_of_a_game_that_differ_in_spaces_are_one_game(tmp_path: Path, other: str) -> None:
    """The server puts blanks around a mention, and a log without its id is known by what was said."""
    whole = (REALTIME if other.endswith("jsonl") else LOG).read_text(encoding="utf-8")
    said = next(turn.text for turn in read(LOG).turns if " " in turn.text)
    assert said in whole
    shutil.copy(LOG, tmp_path / "a.log")
    (tmp_path / other).write_text(whole.replace(said, said.replace(" ", "  ", 1)), encoding="utf-8")
    tally = Tally()
    assert len(read(tmp_path, tally).turns) == len(read(LOG).turns)
    assert tally.dropped["game already read"] == len(read(LOG).turns)


# Lost spaces


@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        (
            "IthinkMidoriisthewerewolf,becauseRinandShunichivotedforher.",
            "I think Midori is the werewolf, because Rin and Shunichi voted for her.",
        ),
        (
            "Hello Mio, IvotedforRinyesterdaybecausehewasquiet today",
            "Hello Mio, I voted for Rin yesterday because he was quiet today",
        ),
        (
            "Iamthemedium.Yesterday'svictimwashuman!Doyoubelieveme?",
            "I am the medium. Yesterday's victim was human! Do you believe me?",
        ),
        ("I am here, and my spaces are too.", None),
        ("haaaaaaaaaaaaaaaaaaaaaaaaaah", None),
        ("See https://example.org/averylongpathwithlettersinit or write to a.very.long.name@mailservers.example", None),
        ("これは日本語の長い文章です、英語ではありませんから。", None),
    ],
)
def test_spaces_are_put_back_and_names_stay_whole(text: str, repaired: str | None) -> None:
    assert bool(pieces(text)) == (repaired is not None)
    assert respace(text, ["Midori", "Rin", "Mio", "Shunichi"]) == (repaired or text)
    assert "".join(respace(text, []).split()) == "".join(text.split()), "no letter is lost or added"


def test_lost_spaces_are_told_and_repaired_only_when_asked() -> None:
    tally = Tally()
    conversation = read(TRANSLATED, tally)
    assert any("1 lines seem to have lost their spaces" in note for note in tally.notes)
    [left] = clean([conversation], CleanConfig(), tally)
    assert left == conversation
    [repaired] = clean([conversation], CleanConfig(repair=True), tally)
    assert [turn.text for turn in repaired.turns if turn not in conversation.turns] == [
        "I am the seer and Aki is a werewolf, believe me."
    ]
    assert tally.changed["lost spaces"] == 1
    assert len(repaired.turns) == len(conversation.turns)
    assert game_of(repaired).events == game_of(conversation).events


def test_repair_leaves_long_words_of_other_conversations_alone() -> None:
    chat = Conversation((read(TRANSLATED).turns[0]._replace(text="Donaudampfschifffahrtsgesellschaftskapitaen"),))
    assert list(clean([chat], CleanConfig(repair=True), Tally())) == [chat]


def test_a_separator_before_a_number_is_space(tmp_path: Path) -> None:
    """`int` does not take every space that a pattern does."""
    log = "0,status,1,SEER,ALIVE,a,Ann\n0,status,2,WEREWOLF,ALIVE,b,Ben\n0,talk,0,0,\x1f1,Hello.\n"
    (tmp_path / "game.log").write_text(log)
    [game] = read_conversations(tmp_path / "game.log", ReadConfig(format="aiwolf"))
    assert [turn.speaker for turn in game.turns] == ["Ann"]
