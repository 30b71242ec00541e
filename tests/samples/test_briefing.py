"""What a card says holds in every conversation of its character, and in nobody else's scenes."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from wolf_chatbox.config import CleanConfig, TrainConfig
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.data.cleaning import clean
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.samples.briefing import NO_CARDS, Cards, introduce
from wolf_chatbox.samples.dataset import choose, make_rows, scenes_of
from wolf_chatbox.samples.rendering import Renderer, make_renderer
from wolf_chatbox.samples.rows import Dataset
from wolf_chatbox.scene import Scene

SECRET = "Rick knows that {{user}} ate the goose."


def talk(*turns: tuple[str, str], group: str = "", **more: Any) -> Conversation:
    return Conversation(tuple(Turn(*turn) for turn in turns), group, **more)


def chats(count: int = 6, persona: str = "Rick") -> list[Conversation]:
    return [
        talk(
            ("Morty", f"what is {at}"), (persona, f"it is {at} again"), ("Morty", "oh"), (persona, "yes"), group=f"{at}"
        )
        for at in range(count)
    ]


def card(*more: tuple[str, str], text: str = SECRET, name: str = "Rick") -> list[Conversation]:
    briefings = {name: text}
    greeting = talk((name, "Morning, {{user}}."), group="card", briefings=briefings)
    example = talk(("user", "hm"), (name, "What, {{user}}?"), *more, group="card", briefings=briefings)
    return [greeting, example]


def dataset(tokenizer: Any, conversations: list[Conversation], **settings: Any) -> Dataset:
    config = TrainConfig(data=("x",), **{"style": "named", "persona": "Rick", "max_tokens": 128} | settings)
    tally = Tally(kept=sum(len(one.turns) for one in conversations))
    return make_rows(choose(config, conversations, tally), config, tokenizer, 128)


def texts(found: Dataset) -> list[str]:
    """What the samples say, and what of it is learnt."""
    samples = [sample for row in (*found.rows, *found.held_out_rows) for sample in row]
    return [found.renderer.tokenizer.decode(sample.ids) for sample in samples]


# Who knows it


def test_a_card_holds_in_every_conversation_of_its_character() -> None:
    found = introduce([*chats(), *card(), talk(("Beth", "hi"), ("Jerry", "ho"))])
    told = "Rick knows that Morty ate the goose."
    assert [one.briefings for one in found.conversations] == [*([{"Rick": told}] * 8), {}]
    assert found.cards == Cards({"Rick": SECRET}, {"Rick": "Morning, {{user}}."})
    assert found.notices() == ["Rick's card is the briefing of 8 conversations"]


def test_the_cards_user_is_whom_the_character_talks_with() -> None:
    greeting, example = introduce([*chats(), *card()]).conversations[:2]
    assert greeting.turns == (Turn("Rick", "Morning, Morty."),)
    assert example.turns == (Turn("Morty", "hm"), Turn("Rick", "What, Morty?"))
    alone = introduce(card())
    assert alone.conversations[1].turns == (Turn("user", "hm"), Turn("Rick", "What, user?"))
    assert alone.count == 0


def test_names_match_whatever_their_case_and_width() -> None:
    found = introduce([*chats(persona="rick"), *chats(2), *card(name="ＲＩＣＫ")])
    assert found.conversations[0].turns[0].speaker == "rick", "as in most of the chats"
    assert set(found.cards.briefings) == set(found.cards.greetings) == {"rick"}
    assert [set(one.briefings) for one in found.conversations] == [*([{"rick"}] * 8), {"Rick"}, {"Rick"}]


def test_without_cards_nothing_changes() -> None:
    conversations = chats()
    found = introduce(conversations)
    assert found.conversations is conversations
    assert (found.count, found.cards, found.notices()) == (0, NO_CARDS, [])


def test_a_card_that_says_nothing_gives_no_briefing() -> None:
    found = introduce([*chats(), *card(text="")])
    assert all(not one.briefings for one in found.conversations)
    assert found.cards == Cards({}, {"Rick": "Morning, {{user}}."})


def test_a_card_that_only_describes_briefs_too() -> None:
    found = introduce([*chats(), Conversation((), "card", briefings={"Rick": SECRET})])
    assert found.conversations == [
        talk(
            *((turn.speaker, turn.text) for turn in one.turns),
            group=one.group,
            briefings=found.conversations[0].briefings,
        )
        for one in chats()
    ]
    assert found.count == 0
    assert set(found.conversations[0].briefings) == {"Rick"}


def scenes(renderer: Renderer, conversation: Conversation) -> list[Scene]:
    return scenes_of([conversation], "player", renderer)[0][1]


def test_nobody_else_is_told(tokenizer: Any) -> None:
    """Each learns its own turns in its own scene; those without a briefing share one."""
    conversation = talk(("Ann", "a"), ("Rick", "b"), ("Bob", "c"), ("Morty", "d"), briefings={"Rick": "r", "Bob": "x"})
    renderer = make_renderer(tokenizer, "named", None, "Ann", {"Ann": 1, "Rick": 1, "Bob": 1, "Morty": 1})
    found = {tuple(sorted(scene.learners or ())): scene for scene in scenes(renderer, conversation)}
    assert {who: scene.opening for who, scene in found.items()} == {("Rick",): "r", ("Bob",): "x", ("Ann", "Morty"): ""}
    rendered = renderer.render([*found.values()], 64, 8)
    assert rendered.learnt == 4
    learnt = Counter[str]()
    for sample in rendered.samples:
        words = tokenizer.decode(
            [id for id, weight in zip(sample.ids, sample.learn) if weight and id != renderer.end_id]
        )
        learnt.update(words.split())
    assert learnt == Counter("abcd"), "each turn once, and no briefing"


def test_who_did_not_hear_is_not_told_either(tokenizer: Any) -> None:
    whispered = (Turn("Ann", "psst", heard=("Ann", "Rick")), Turn("Rick", "what"), Turn("Bob", "hm"))
    conversation = Conversation(whispered, briefings={"Rick": "r"})
    renderer = make_renderer(tokenizer, "named", None, "Ann", {"Ann": 1, "Rick": 1, "Bob": 1})
    found = {
        scene.speaker: (scene.opening, [turn.text for turn in scene.turns]) for scene in scenes(renderer, conversation)
    }
    assert found == {
        "Ann": ("", ["psst", "what", "hm"]),
        "Rick": ("r", ["psst", "what", "hm"]),
        "Bob": ("", ["what", "hm"]),
    }


@pytest.mark.parametrize("style", ["named", "chat", "dialogpt"])
def test_a_prompt_is_a_prefix_of_what_is_learnt(chat_tokenizer: Any, tokenizer: Any, style: str) -> None:
    found = dataset(chat_tokenizer if style == "chat" else tokenizer, [*chats(), *card()], style=style)
    cards = found.cards
    renderer = found.renderer
    turns = (Turn("Morty", "what is 3"), Turn("Rick", "it is 3 again"), Turn("Morty", "oh"))
    prompt = renderer.prompt(cards.brief(Scene(turns, speaker="Rick"), "Morty"), 128)
    samples = [sample for row in (*found.rows, *found.held_out_rows) for sample in row]
    assert any(sample.ids[: len(prompt)] == prompt for sample in samples)
    assert "ate the goose" in renderer.tokenizer.decode(prompt)


def test_no_card_is_ever_held_out(tokenizer: Any) -> None:
    for seed in range(8):
        for split in ("group", "time"):
            found = dataset(tokenizer, [*chats(2), *card()], seed=seed, split=split, validation_share=0.2)
            kept = " ".join(found.renderer.tokenizer.decode(sample.ids) for row in found.rows for sample in row)
            assert "Morning, Morty." in kept
            assert "What, Morty?" in kept
            assert found.held_out.learnt


def test_cards_alone_are_divided_as_all_data(tokenizer: Any) -> None:
    found = dataset(tokenizer, [one for at in range(6) for one in card(("user", f"{at}"), ("Rick", f"{at}!"))])
    assert found.held_out.learnt


def test_a_reverse_model_knows_no_card(tokenizer: Any) -> None:
    found = dataset(tokenizer, [*chats(), *card()], reverse=True)
    assert found.cards == NO_CARDS
    assert not any("ate the goose" in text for text in texts(found))
    assert any("ate the goose" in text for text in texts(dataset(tokenizer, [*chats(), *card()])))


def test_nothing_but_a_description_is_no_data() -> None:
    config = TrainConfig(data=("card.json",))
    with pytest.raises(DataError, match="no turns of dialogue found"):
        choose(config, [Conversation((), briefings={"Rick": SECRET})], Tally())


# What cleaning does to it


def test_a_briefing_is_cleaned_as_turns_are(tmp_path: Path) -> None:
    private = "Rick mails ann@example.org of cafÃ©s. Rick Sanchez knows +1 415-555-0132."
    one = talk(("Rick Sanchez", "hi"), ("user", "ho"), briefings={"Rick Sanchez": private}, group="rick")

    def cleaned(**settings: Any) -> str:
        [found] = clean([one], CleanConfig(**settings), Tally())
        return json.dumps(found.to_dict(), ensure_ascii=False)

    scrubbed = cleaned(scrub=True)
    assert ("[email]" in scrubbed, "[phone]" in scrubbed, "example.org" in scrubbed) == (True, True, False)
    assert "Rick" not in cleaned(pseudonyms=tmp_path / "key.json").replace("group", "")
    assert "cafés" in cleaned(repair=True)
    assert json.loads(cleaned(join_within=10))["briefings"] == {"Rick Sanchez": private}


def test_pseudonyms_name_a_character_who_never_speaks(tmp_path: Path) -> None:
    conversation = Conversation((Turn("Ann", "Rick is here"),), briefings={"Rick": "Rick waits for {{user}}."})
    [found] = clean([conversation], CleanConfig(pseudonyms=tmp_path / "key.json"), Tally())
    [(name, told)] = found.briefings.items()
    assert name != "Rick"
    assert told == f"{name} waits for {{{{user}}}}."
    assert found.turns[0].text == f"{name} is here"


def test_the_json_form_keeps_briefings_and_refuses_others() -> None:
    one = talk(("Rick", "hi"), briefings={"Rick": "r"})
    assert Conversation.from_dict(one.to_dict()) == one
    assert "briefings" not in talk(("Rick", "hi")).to_dict()
    for bad in ([], "r", {"Rick": 1}, {"Rick": None}):
        with pytest.raises(DataError, match='x: "briefings" does not give each character a text'):
            Conversation.from_dict(one.to_dict() | {"briefings": bad}, "x")


def test_a_pair_of_replies_follows_the_card(tokenizer: Any) -> None:
    from wolf_chatbox.samples.pairs import render_pair

    renderer = make_renderer(tokenizer, "named", "Rick", "Morty", {"Rick": 1, "Morty": 1})
    choice = ((Turn("Morty", "hi"),), Turn("Rick", "ho"), Turn("Rick", "hm"))
    cards = Cards({"Rick": SECRET}, user="Morty")
    for side in render_pair(renderer, *choice, 128, cards=cards).parts():
        assert "Morty ate the goose" in tokenizer.decode(side.ids)
        assert "goose" not in tokenizer.decode([id for id, weight in zip(side.ids, side.learn) if weight])


def test_a_run_keeps_what_its_cards_say() -> None:
    assert Cards.of({}, "Morty").record() == {}
    cards = Cards({"Rick": SECRET}, {"Rick": "Hm, {{user}}."}, "Morty")
    assert Cards.of(json.loads(json.dumps(cards.record())), "Morty") == cards
    assert cards.greeting("Rick") == "Hm, Morty."
    assert cards.greeting("Rick", "Beth") == "Hm, Beth."
    assert cards.greeting("Morty") == ""
