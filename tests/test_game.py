"""A game's facts: there and back, through cleaning, pseudonyms and splits."""

from __future__ import annotations

import io
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from wolf_chatbox.config import CleanConfig
from wolf_chatbox.conversation import Conversation, Turn, parse_conversations, write_conversations
from wolf_chatbox.data.cleaning import clean
from wolf_chatbox.data.privacy.pseudonyms import Pseudonyms
from wolf_chatbox.data.split import split
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.game import Event, Game, Player
from wolf_chatbox.werewolf.views import learners_of


def make(group: str = "game 1", **facts: object) -> Conversation:
    players = (
        Player("Rin", "SEER", 1),
        Player("Ken", "WEREWOLF", 2, facts={"team": "a1"}),
        Player("Mio", "ROBBER", 3, dealt="VILLAGER"),
    )
    events = (
        Event(0, 0, "divine", "Rin", "Ken", "WEREWOLF"),
        Event(0, 1, "day"),
        Event(2, 1, "vote", "Rin", "Ken"),
        Event(2, 1, "execute", target="Ken"),
        Event(3, 1, "announce", text="Ken is gone, says Rin."),
        Event(3, 1, "end"),
    )
    game = Game("test", "en", players, events, "VILLAGER", True, "", {"seed": 3}, **facts)  # type: ignore[arg-type]
    turns = (Turn("Rin", "Ken is a wolf."), Turn("Ken", "No."), Turn("Ken", "Rin lies!", channel="whisper"))
    return Conversation(turns, group, game)


def test_a_game_survives_its_json_form() -> None:
    file = io.StringIO()
    write_conversations([make()], file)
    assert list(parse_conversations(file.getvalue().splitlines(), "x")) == [make()]


@pytest.mark.parametrize(
    "change",
    [
        {"players": [{"name": "Rin"}, {"name": "Rin"}]},
        {"players": [{"seat": 1}]},
        {"events": [{"at": 0, "day": 1, "kind": "dance"}]},
        {"events": [{"at": 0, "day": 1, "kind": "vote", "actor": "Rin", "target": "Nobody"}]},
        {"events": [{"at": 0}]},
        {"events": 3},
        {"colour": "red"},
    ],
)
def test_what_is_no_game_is_one_line(change: dict[str, object]) -> None:
    value = make().to_dict()
    value["game"] |= change
    with pytest.raises(DataError, match=r"^here: .*Convert the data again\.$"):
        Conversation.from_dict(value, "here")


def test_pseudonyms_reach_players_events_and_their_texts(tmp_path: Path) -> None:
    key = tmp_path / "key.json"
    [hidden] = clean([make()], CleanConfig(pseudonyms=key), Tally(kept=3))
    names = Pseudonyms.read(key).names
    text = repr(hidden)
    assert not [name for name in ("Rin", "Ken", "Mio", "a1") if name in text]
    assert hidden.game is not None
    assert hidden.game.events[3].target == names["Ken"]
    assert names["Rin"] in hidden.game.events[4].text


def test_facts_stay_when_texts_are_repaired_and_go_when_people_are_protected() -> None:
    [repaired] = clean([make()], CleanConfig(repair=True), Tally(kept=3))
    assert repaired == make()
    [scrubbed] = clean([make()], CleanConfig(scrub=True), Tally(kept=3))
    assert scrubbed.game is not None
    assert not scrubbed.game.facts
    assert not any(player.facts for player in scrubbed.game.players)
    assert scrubbed.game.events == repaired.game.events if repaired.game else False


def test_who_is_context_alone_stays_so_and_is_not_learnt() -> None:
    whole = make()
    assert whole.game is not None
    loser, *others = whole.game.players
    game = replace(whole.game, players=(replace(loser, context=True), *others))
    changed = game.changed(lambda name: f"{name} 2", str.upper).without_facts()
    kept = Conversation.from_dict(json.loads(json.dumps(replace(whole, game=changed).to_dict()))).game
    assert kept == changed
    assert learners_of(changed, "player") == {f"{player.name} 2" for player in others}
    assert learners_of(changed, "moderator") == learners_of(changed, "player")
    assert not learners_of(changed, "player", f"{loser.name} 2")
    assert "context" not in whole.game.players[0].to_dict()


def test_events_stay_where_they_were_when_turns_go() -> None:
    shorter = make().with_turns([0, 2], [make().turns[0], make().turns[2]])
    assert shorter.game is not None
    assert [event.at for event in shorter.game.events] == [0, 0, 1, 1, 2, 2]


def test_recordings_of_one_game_stay_on_one_side() -> None:
    games = [make(f"{language} {number}") for number in range(10) for language in ("en", "ja")]
    games = [
        Conversation(game.turns, game.group, game.game.__class__(**{**_fields(game.game), "same_as": game.group[-1]}))
        for game in games
    ]
    training, held_out, _ = split(games, 0.3, 0)
    sides = Counter(game.group[-1] for game in held_out)
    assert set(sides.values()) == {2}
    assert not sides.keys() & {game.group[-1] for game in training}


def test_a_game_is_not_cut_in_two() -> None:
    training, held_out, _ = split([make(), make()], 0.2, 0)
    assert [len(game.turns) for game in training + held_out] == [3, 3]


def _fields(game: Game | None) -> dict[str, object]:
    assert game is not None
    return {name: getattr(game, name) for name in Game.__dataclass_fields__}
