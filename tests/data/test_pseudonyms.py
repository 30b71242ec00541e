"""Pseudonyms: no name is left in what leaves, in whatever form it was written, and the key gives the names back."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest

from wolf_chatbox.config import CleanConfig
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.data.cleaning import clean
from wolf_chatbox.data.privacy.mentions import Mentions, aligned
from wolf_chatbox.data.privacy.pseudonyms import Pseudonyms
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError, WolfChatboxError
from wolf_chatbox.game import Game, Player


def talk(*turns: tuple[str, str], group: str = "chat") -> Conversation:
    return Conversation(tuple(Turn(*turn) for turn in turns), group)


def cleaned(conversation: Conversation, key: Path) -> tuple[Conversation, Tally]:
    tally = Tally(kept=len(conversation.turns))
    (found,) = clean([conversation], CleanConfig(pseudonyms=key), tally)
    return found, tally


def names_in(key: Path) -> dict[str, str]:
    return dict(json.loads(key.read_text())["speakers"])


def test_no_name_is_left_and_the_key_gives_them_back(tmp_path: Path) -> None:
    key = tmp_path / "key.json"
    chat = talk(
        ("Ann Oar", "Bob, is ANN here? @Bob Boat!"),
        ("Bob Boat", "Ann is Annabel? Ask 花子"),
        ("花子", "Bobさん"),
        group="Ann and Bob",
    )
    hidden, tally = cleaned(chat, key)
    text = json.dumps(hidden.to_dict(), ensure_ascii=False)
    for name in ("Ann ", "ANN", "Oar", "Bob", "花子"):
        assert name not in text
    assert "Annabel" in text
    names = names_in(key)
    assert list(names) == ["Ann Oar", "Bob Boat", "花子"]
    assert hidden.turns[0].text == f"{names['Bob Boat']}, is {names['Ann Oar']} here? @{names['Bob Boat']}!"
    assert hidden.turns[2].text == f"{names['Bob Boat']}さん"
    again, _ = cleaned(chat, key)
    assert again == hidden
    assert tally.changed["mentioned name"] == 6


def test_a_title_is_nobody_s_name(tmp_path: Path) -> None:
    hidden, _ = cleaned(
        talk(("Old Hesper", "Hi"), ("Lady Vesna", "The Old lady Hesper, Lady of the lake")), tmp_path / "key.json"
    )
    hesper = hidden.turns[0].speaker
    assert hidden.turns[1].text == f"The Old lady {hesper}, Lady of the lake"


MARK = {
    "Jane Doe": "<J>",
    "Bob": "<B>",
    "山田太郎": "<Y>",
    "林健太": "<H>",
    "Zoë Klein": "<Z>",
    "Will": "<W>",
    "はな": "<N>",
    "王小明": "<O>",
    "アン": "<A>",
    "Rose": "<R>",
}


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("bob, BOB and Bob's boat", "<B>, <B> and <B>'s boat"),
        ("jane? janes oar; JANE DOE; jane\u00a0 doe", "<J>? <J>s oar; <J>; <J>"),
        ("Ｊａｎｅ and ｂｏｂ", "<J> and <B>"),
        ("@bob_99 bob_boat kebob", "@<B>_99 <B>_boat kebob"),
        ("山田さん、山田くん、太郎ちゃん、山田太郎", "<Y>さん、<Y>くん、<Y>ちゃん、<Y>"),
        ("山田も太郎もいる", "<Y>も<Y>もいる"),
        ("林さんと林の森と小林さん", "<H>さんと林の森と小林さん"),
        ("健太、来る？", "<H>、来る？"),
        ("小明，老王，王先生，国王", "<O>，老<O>，<O>先生，国王"),
        ("はなちゃん、それはない", "<N>ちゃん、それはない"),
        ("アンさん、アンケート", "<A>さん、アンケート"),
        ("zoë ZOË Zoe\u0308 zoe\u0308s", "<Z> <Z> <Z> <Z>s"),
        ("Will will say so, WILL he?", "<W> will say so, WILL he?"),
        ("klein as it is, says Klein", "klein as it is, says <Z>"),
        ("doe, a deer; Rose, a rose", "<J>, a deer; <R>, a rose"),
    ],
)
def test_how_people_are_mentioned(text: str, hidden: str) -> None:
    assert Mentions(MARK).replace(text)[0] == hidden


def test_nothing_else_in_a_text_changes() -> None:
    text = "ｆｕｌｌ　ｗｉｄｔｈ, cafe\u0301, ﬁne, ㌔, ｶﾞ, Straße, bob, 한글\u1112\u1161\u11ab"
    assert Mentions({"Bob": "<B>"}).replace(text)[0] == text.replace("bob", "<B>")
    for each in (text, unicodedata.normalize("NFD", text)):
        low, place = aligned(each)
        assert place(0) == 0
        assert place(len(low)) == len(each)


def test_one_person_written_in_several_ways_is_one(tmp_path: Path) -> None:
    key = tmp_path / "key.json"
    forms = ["Zoë", "Zoe\u0308", "ZOË", "ｚｏë"]
    hidden, _ = cleaned(talk(*((form, "hello") for form in forms)), key)
    assert len(hidden.speakers()) == 1
    assert list(names_in(key)) == forms
    assert {
        Pseudonyms.read(key).now(form) for form in [*forms, "zoë", unicodedata.normalize("NFKD", "zoë")]
    } == hidden.speakers()


def test_what_is_uncertain_is_listed(tmp_path: Path) -> None:
    chat = talk(("Will Rose", "we will see a rose"), ("林健太", "林です"), ("Ann", "Will you? Mr Rose"))
    _, tally = cleaned(chat, tmp_path / "key.json")
    assert tally.notes == [
        "not replaced because they may be ordinary words (lower case, or no honorific): will, rose, 林",
        "replaced because they are capitalized, but they may be ordinary words: will, rose",
    ]
    assert tally.record(hidden=True)["notes"] == []


def test_players_by_number_are_no_names(tmp_path: Path) -> None:
    hidden, _ = cleaned(talk(("Jester 1", "a jester!"), ("Jester 2", "Jester 1 did it")), tmp_path / "key.json")
    assert [turn.text for turn in hidden.turns] == ["a jester!", f"{hidden.turns[0].speaker} did it"]


def test_many_names_of_every_kind_make_one_pattern() -> None:
    names = {
        f"{first}{last}": "<x>"
        for first in ("Ann ", "山", "アン", "김", "*~", "(", "a" * 900)
        for last in map(str, range(300))
    }
    text, count = Mentions(names).replace("Ann 7, 山299, アン3, 김1, *~5, (6")
    assert (text, count) == ("<x>, <x>, <x>, <x>, <x>, <x>", 6)


# The key file


@pytest.mark.parametrize("before", ["nothing", "a key that all may read", "a link", "what a killed run left"])
def test_the_key_is_for_its_owner_s_eyes_only(before: str, tmp_path: Path) -> None:
    key = target = tmp_path / "key.json"
    if before == "what a killed run left":
        (tmp_path / "key.json.writing").touch(0o644)
    elif before != "nothing":
        target = tmp_path / "other.json" if before == "a link" else key
        target.write_text('{"speakers": {"Ann": "Bodi"}, "groups": {}}')
        target.chmod(0o644)
        if target != key:
            key.symlink_to(target)
    hidden, _ = cleaned(talk(("Ann", "hi")), key)
    assert target.stat().st_mode & 0o777 == 0o600
    assert key.is_symlink() == (before == "a link")
    assert (hidden.turns[0].speaker == "Bodi") == (before in ("a link", "a key that all may read"))


@pytest.mark.parametrize(
    "content", [b'{"dear": "Ann"}', b"[1]", b'{"speakers": {"Ann": 1}, "groups": {}}', b"\xff\xfe\x00", b"dear Ann"]
)
def test_a_file_that_is_no_key_is_not_overwritten(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "letter.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"not a key file of pseudonyms|not JSON"):
        Pseudonyms.read(path)
    assert path.read_bytes() == content


def test_a_folder_is_no_key(tmp_path: Path) -> None:
    with pytest.raises(WolfChatboxError, match="a folder"):
        Pseudonyms.read(tmp_path)


def test_recordings_of_one_game_stay_together_under_another_name(tmp_path: Path) -> None:
    game = Game("set", "en", (Player("Ann"),), (), same_as="table of Ann")
    chats = [Conversation((Turn("Ann", "hi"),), f"Ann's {number}", game) for number in range(2)]
    hidden = list(clean(chats, CleanConfig(pseudonyms=tmp_path / "key.json"), Tally(kept=2)))
    assert "Ann" not in repr(hidden)
    assert len({each.group for each in hidden}) == 2
    assert len({each.game.same_as for each in hidden if each.game}) == 1
