"""What is said is read: our own templates without loss, and lines as players of the contest write them."""

import random

import pytest

from wolf_chatbox.play.inference.statements import Statement, statements_in
from wolf_chatbox.play.players.templates import ENGLISH, REMARKS, SELVES, STATEMENTS, Voice, key_of
from wolf_chatbox.play.players.templates_ja import PLAIN, POLITE
from wolf_chatbox.werewolf.table import TableConfig
from wolf_chatbox.werewolf.utterance import cut

NAMES = {
    "en": ("Ann", "Anna", "Agent[01]", "Agent[11]", "Mr. Fox", "Zoe"),
    "ja": ("ミオ", "リン", "ミオリン", "健二", "さくら", "Agent[01]", "Ann"),
}
WORDS = {"en": (ENGLISH,), "ja": (POLITE, PLAIN)}


def statement(key: str, target: str) -> Statement:
    """The statement whose templates these are."""
    what, *rest = key.split()
    named = what in ("result", "estimate", "vote", "attack") or "name" in rest
    roles = [word for word in rest if word != "name"]
    result = roles[1] if what == "result" else ""
    return Statement(what, roles[0] if roles else "", target if named else "", result)  # type: ignore[arg-type]


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("key", STATEMENTS)
def test_what_a_template_says_is_read_as_that_and_nothing_else(key: str, language: str) -> None:
    names = NAMES[language]
    table = TableConfig(language=language)  # type: ignore[arg-type]
    for words in WORDS[language]:
        for template in words[key]:
            for target in names:
                said = statement(key, target)
                assert key_of(said) == key
                for self in SELVES:
                    text = template.format(t=target, I=self)
                    assert statements_in(text, names, language) == (said,), text
                    assert statements_in(cut(text, table, names, None).text, names, language) == (said,), text


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("key", REMARKS)
def test_a_remark_states_nothing(key: str, language: str) -> None:
    for words in WORDS[language]:
        for template in words[key]:
            for first in NAMES[language]:
                for second in NAMES[language]:
                    text = template.format(a=first, b=second, I="私")
                    if first != second:
                        assert {said.what for said in statements_in(text, NAMES[language], language)} <= {"ask"}, text


@pytest.mark.parametrize("words", [ENGLISH, POLITE, PLAIN])
def test_every_template_is_fit_for_the_contest(words: dict[str, tuple[str, ...]]) -> None:
    assert set(words) == set(ENGLISH)
    for templates in words.values():
        for text in templates:
            assert "," not in text
            assert len(text) <= (60 if words is ENGLISH else 40)


def test_a_voice_uses_other_words_than_those_it_heard() -> None:
    voice, vote = Voice("en", random.Random(1)), Statement("vote", "", "Ann")
    kinds = len(ENGLISH["vote"])
    said = [voice.state(vote) for _ in range(kinds)]
    assert len(set(said)) == kinds
    assert voice.state(vote) in said
    other = Voice("en", random.Random(2))
    for text in said[1:]:
        other.hear(f"Hello. {text}")
    assert other.state(vote) == said[0]


EXAMPLES = [
    ("en", "I am a seer. I divined Zoe and Zoe was a human.", {("claim", "SEER", ""), ("result", "HUMAN", "Zoe")}),
    (
        "en",
        "I'm the real seer! I peeked  @Zoe  and she was HUMAN!",
        {("claim", "SEER", ""), ("result", "HUMAN", "Zoe")},
    ),
    ("en", "Zoe's divination says Ann is a werewolf.", set()),
    ("en", "If Zoe is the seer, Ann is a werewolf.", set()),
    ("en", "I don't trust Zoe at all.", {("estimate", "WEREWOLF", "Zoe")}),
    ("en", "I won't vote for Zoe.", set()),
    (
        "ja",
        "あたしは占い師だよ！ミオちゃんを占ったら白だったよ！",
        {("claim", "SEER", ""), ("result", "HUMAN", "ミオ")},
    ),
    ("ja", "占いCO。ミオ白。寡黙促し自然。", {("claim", "SEER", ""), ("result", "HUMAN", "ミオ")}),
    ("ja", "昨夜リン占って黒。 @ミオ  理由示さない占いは危険だ。", {("result", "WEREWOLF", "リン")}),
    ("ja", "リンさんがミオさんを占って黒と言っています。", set()),
    ("ja", "ミオさんが人狼なら、リンさんは白ですか？", {("ask", "", "ミオ")}),
    ("ja", "今日は @リン  吊りで。", {("vote", "", "リン")}),
    ("ja", "ミオリンさんに投票しません。", set()),
]


@pytest.mark.parametrize(("language", "text", "expected"), EXAMPLES)
def test_lines_as_players_write_them(language: str, text: str, expected: set[tuple[str, str, str]]) -> None:
    found = statements_in(text, NAMES[language], language)
    assert {(said.what, said.result or said.role, said.target) for said in found} == expected
