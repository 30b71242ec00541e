"""A model's player: its prompt is training data, its lines are checked, its targets are legal, its mind is shared."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from conftest import make_gpt2
from scripted import voice as scripted_voice
from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.conversation import Turn
from wolf_chatbox.game import Event
from wolf_chatbox.model.engines.engine import Engine
from wolf_chatbox.model.engines.torch import TorchDecoder
from wolf_chatbox.model.voice import Voice
from wolf_chatbox.play.casting import PlayersConfig
from wolf_chatbox.play.inference.statements import Statement, statements_in
from wolf_chatbox.play.moderator import Moderator
from wolf_chatbox.play.player import Player
from wolf_chatbox.play.players import scheduler
from wolf_chatbox.play.players.checks import problem
from wolf_chatbox.play.players.mind import Mind, log_shares, team_of, unfit
from wolf_chatbox.play.players.model import ModelPlayer
from wolf_chatbox.play.players.rules import RulesPlayer
from wolf_chatbox.samples.rendering import make_renderer
from wolf_chatbox.werewolf.rules import Village, deal
from wolf_chatbox.werewolf.sight import Kind, Line, Sight
from wolf_chatbox.werewolf.table import TableConfig
from wolf_chatbox.werewolf.views import view

NAMES = ("Anna", "Bela", "Cleo", "Dora", "Emil", "Fritz", "Gus", "Hedy", "Ida")
SHORT = SamplingConfig(max_new_tokens=6)


def tiny_mind(tokenizer: Any, choice: str = "both", slots: int = 8) -> Mind:
    """A mind with two layers that nobody taught anything; its context holds a whole day."""
    decoder = TorchDecoder(make_gpt2(len(tokenizer), context=2048), slots=slots)
    renderer = make_renderer(tokenizer, "named", None, "Bela", NAMES)
    return Mind(Voice(Engine(decoder, tokenizer), renderer, dict.fromkeys(NAMES, 1)), SHORT, choice)


def scripted_mind(tokenizer: Any, *replies: str, choice: str = "both") -> Mind:
    """A mind that draws these replies, and knows Rick and Morty from elsewhere."""
    sampling = SamplingConfig(max_new_tokens=200)
    return Mind(scripted_voice(tokenizer, *replies, context=4096), sampling, choice)


def play(mind: Mind, seed: int, **table: Any) -> tuple[Village, Mapping[str, ModelPlayer]]:
    config = TableConfig(**{"talks": 1, **table})
    roles = deal(config, NAMES[: config.players], seed)
    village = Village(config, roles, seed)
    players = {name: ModelPlayer(mind, f"{seed} {name}") for name in roles}
    return Moderator(village, players).lead(), players


def sight(role: str = "VILLAGER", **table: Any) -> Sight:
    """What Anna knows on the first day."""
    config = TableConfig(**table)
    made = Sight(config, "g", "Anna", role, NAMES[:5], {"Anna": role}, config.counts())
    made.learn(Event(0, 0, "day"))
    made.day, made.left = 0, config.talks
    return made


def say(mine: Sight, speaker: str, text: str) -> None:
    mine.hear(Line(len(mine.lines), mine.day, 0, speaker, text))


class Noting(Player):
    """Says something new each time, and notes what a model would have been prompted with."""

    def __init__(self, mind: Mind) -> None:
        super().__init__()
        self.mind, self.prompts = mind, list[tuple[str, list[int], str]]()

    def answer(self, kind: Kind, sight: Sight) -> str | None:
        if kind not in ("talk", "whisper"):
            return sight.targets(kind)[0]
        text = f"I have said {len(self.prompts)} things."
        self.prompts.append((sight.me, self.mind.voice.prompt(sight.scene(kind), SHORT), text))
        return text


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_prompt_is_a_prefix_of_what_training_renders(tokenizer: Any, language: Any) -> None:
    """For each line of a whole game, whispers too: the ids that the player answered after, then the line's."""
    mind = scripted_mind(tokenizer, "unused")
    table = TableConfig(players=9, talks=1, language=language)
    village = Village(table, deal(table, NAMES, 3), 3)
    players = {name: Noting(mind) for name in NAMES}
    Moderator(village, players).lead()
    game, renderer = village.conversation(), mind.voice.renderer
    asked = [prompt for player in players.values() for prompt in player.prompts]
    rows = {
        name: [sample.ids for sample in renderer.render(view(game, "player", name), 4096, 0).samples] for name in NAMES
    }
    for name, prompt, text in asked:
        whole = [*prompt, *renderer.words(Turn(name, text), village.sights[name].scene())]
        assert any(row[: len(whole)] == whole for row in rows[name]), (name, text)
    assert len(asked) == len(village.lines)
    assert any(line.whisper for line in village.lines)


def test_the_same_seeds_give_the_same_game(tokenizer: Any) -> None:
    first, second = (play(tiny_mind(tokenizer), seed)[0] for seed in (1, 1))
    assert (first.lines, first.events) == (second.lines, second.events)
    assert any(line.is_speech for line in first.lines)


@pytest.mark.parametrize("choice", ["model", "both"])
def test_games_in_threads_share_one_mind(tokenizer: Any, choice: str) -> None:
    """All end, nobody names whom it may not, and each line passes the checks."""
    mind = tiny_mind(tokenizer, choice, slots=6)
    with ThreadPoolExecutor(2) as threads:
        games = list(threads.map(lambda seed: play(mind, seed), range(2)))
    for village, players in games:
        assert village.over
        assert village.winner
        assert not village.invalid
        assert not village.unanswered.total()
        asked = sum(1 for line in village.lines)
        counts = [sum(player.account[what] for what in ("said", "plan", "fallback")) for player in players.values()]
        assert 0 < sum(counts) <= asked


def test_bad_lines_are_drawn_again_and_then_replaced(tokenizer: Any) -> None:
    mine = sight()
    player = ModelPlayer(scripted_mind(tokenizer, "I trust Rick.", "I like the way you talk."), 0)
    assert player.answer("talk", mine) == "I like the way you talk."
    assert player.account == {"said": 1, "drawn again": 1, "stranger": 1}
    player = ModelPlayer(scripted_mind(tokenizer, "{code}"), 0)
    text = player.answer("talk", mine)
    assert text is not None
    assert "code" not in text
    assert player.account["fallback"] == 1
    assert player.account["code"] == 8
    assert player.account["said"] == 0


def test_a_line_ends_where_the_table_would_cut_it(tokenizer: Any) -> None:
    long = "We should talk. " + "Nobody says a thing and nobody asks who went out last night. " * 8
    mind = scripted_mind(tokenizer, long)
    text = ModelPlayer(mind, 0).answer("talk", sight(letters=60))
    assert text is not None
    assert text.startswith("We should talk.")
    assert text.endswith(".")
    assert len(text.replace(" ", "")) <= 60


@pytest.mark.parametrize("choice", ["rules", "both"])
def test_a_seers_finding_comes_out(tokenizer: Any, choice: str) -> None:
    """Whatever the model chatters about, the fact that the game hangs on is told, as planned lines."""
    mind = scripted_mind(tokenizer, "What a fine morning.", choice=choice)
    mind = Mind(tiny_mind(tokenizer).voice, SHORT, "rules") if choice == "both" else mind
    mine = sight("SEER")
    mine.learn(Event(0, 0, "divine", "Anna", "Bela", "WEREWOLF"))
    mine.learn(Event(0, 1, "day"))
    player = ModelPlayer(mind, 0)
    told = []
    for _ in range(4):
        text = player.answer("talk", mine)
        assert text is not None
        told.append(text)
        say(mine, "Anna", text)
        say(mine, "Cleo", "Go on.")
        mine.left -= 1
    assert any("seer" in text and "Bela" in text for text in told)
    assert player.account["plan"] >= 1


def test_the_model_alone_needs_no_plan(tokenizer: Any) -> None:
    mine = sight("SEER")
    mine.learn(Event(0, 0, "divine", "Anna", "Bela", "WEREWOLF"))
    player = ModelPlayer(scripted_mind(tokenizer, "What a fine morning.", choice="model"), 0)
    assert player.answer("talk", mine) == "What a fine morning."
    assert player.account["plan"] == 0


def test_only_the_plan_claims(tokenizer: Any) -> None:
    """Where the rules player reasons, the model's wolf does not make up a role of its own."""
    drawn = ("I am the medium.", "I have an eye on you all.")
    mine = sight("WEREWOLF")
    player = ModelPlayer(scripted_mind(tokenizer, *drawn), 0)
    lines = [player.answer("talk", mine) for _ in range(3)]
    assert drawn[0] not in lines
    free = ModelPlayer(scripted_mind(tokenizer, *drawn, choice="model"), 0)
    assert free.answer("talk", mine) == drawn[0]


def test_a_plan_stays_until_it_is_said() -> None:
    mine = sight("SEER")
    mine.learn(Event(0, 0, "divine", "Anna", "Bela", "HUMAN"))
    mine.learn(Event(0, 1, "day"))
    rules = RulesPlayer(0)
    plan = rules.plan("talk", mine)
    assert "Bela" in plan
    say(mine, "Cleo", "I have nothing to say yet.")
    assert rules.plan("talk", mine) == plan
    say(mine, "Anna", "I say something else first.")
    plan = rules.plan("talk", mine)
    assert Statement("result", "SEER", "Bela", "HUMAN") in statements_in(plan, mine.names, "en")
    say(mine, "Anna", plan)
    assert rules.plan("talk", mine) != plan
    mine.left = 1
    announced = rules.plan("talk", mine)
    assert {said.what for said in statements_in(announced, mine.names, "en")} == {"vote"}


@pytest.mark.parametrize("kind", ["vote", "divine", "guard", "attack"])
def test_leanings_are_shares_of_the_legal_targets(tokenizer: Any, kind: Kind) -> None:
    """Before anybody has spoken they are equal: what the names themselves weigh is taken out."""
    mind = tiny_mind(tokenizer)
    mine = sight()
    before = mind.leanings(mine, kind)
    assert list(before) == mine.targets(kind) == list(NAMES[1:5])
    assert len({round(share, 4) for share in before.values()}) == 1
    say(mine, "Bela", "Cleo is the wolf. Cleo did it.")
    after = mind.leanings(mine, kind)
    assert after != before
    assert log_shares(list(after.values())) == pytest.approx(list(after.values()))


def test_nobody_is_left_to_name(tokenizer: Any) -> None:
    mine = sight()
    mine.dead |= dict.fromkeys(NAMES[1:4], 0)
    assert ModelPlayer(tiny_mind(tokenizer), 0).answer("vote", mine) == "Emil"


def test_a_prompt_that_grows_is_read_once(tokenizer: Any) -> None:
    """What a seat has read of a day, the next line of the day does not read again."""
    mind = tiny_mind(tokenizer, "model", slots=3)
    decoder, read = mind.voice.engine.decoder, 0
    inner = decoder.read

    def counted(feeds: Sequence[Any]) -> Any:
        nonlocal read
        read += sum(len(feed.ids) for feed in feeds)
        return inner(feeds)

    decoder.read = counted  # type: ignore[method-assign]
    mine, prompts = sight(letters=0), []
    for number in range(6):
        prompts.append(mind.voice.prompt(mine.scene("talk"), mind.sampling))
        mind.draw(mine, "talk", [number])
        for name in ("Anna", "Bela"):
            say(mine, name, f"I say {number} things about the geese in the house.")
    head = len(mind.voice.renderer.head("Anna", mine.scene()))
    assert all(later[: len(sooner) - head] == sooner[:-head] for sooner, later in pairwise(prompts))
    assert read < len(prompts[-1]) + 6 * (mind.sampling.max_new_tokens + head + 1)


# Talk at any time


def test_who_is_spoken_to_answers_soon() -> None:
    mine = sight(talk="anytime")
    chances = dict.fromkeys(mine.alive, 0.2)
    calm = scheduler.pause(mine, "talk", 600, chances)
    say(mine, "Bela", "Anna what do you think?")
    asked = scheduler.pause(mine, "talk", 600, chances)
    assert asked is not None
    assert calm is not None
    assert asked < calm
    say(mine, "Anna", "Nothing yet.")
    later = scheduler.pause(mine, "talk", 600, chances)
    assert later is not None
    assert later > calm, "it has answered, and spoke last"


def test_a_likelier_speaker_speaks_sooner_and_time_presses() -> None:
    mine = sight(talk="anytime")
    pauses = [
        scheduler.pause(mine, "talk", 600, {"Anna": share, "Bela": 1 - share, "Cleo": 0.0}) for share in (0.2, 0.4, 0.9)
    ]
    assert pauses == sorted(pauses, reverse=True)  # type: ignore[type-var]
    assert len(set(pauses)) == 3
    hurried = scheduler.pause(mine, "talk", 60, {"Anna": 0.4, "Bela": 0.6, "Cleo": 0.0})
    assert hurried < pauses[1]  # type: ignore[operator]


def test_who_has_said_its_share_may_wait() -> None:
    mine = sight(talk="anytime")
    unlikely = {"Anna": 0.01, "Bela": 0.99}
    assert scheduler.pause(mine, "talk", 600, unlikely) is not None, "who has not spoken speaks, if nobody else does"
    say(mine, "Anna", "Good morning.")
    say(mine, "Bela", "Good morning.")
    assert scheduler.pause(mine, "talk", 600, unlikely) is None


def test_a_line_that_nobody_heard_is_kept_while_it_fits(tokenizer: Any) -> None:
    mind = scripted_mind(tokenizer, "We should look at the votes.", "I have one more thing to say.", choice="rules")
    mine, player = sight(talk="anytime"), ModelPlayer(mind, 0)
    player._chances = lambda *_: {}  # type: ignore[method-assign]
    engine: Any = mind.voice.engine
    first = player.bid(mine, 600)
    assert first is not None
    say(mine, "Bela", "The weather is fine.")
    again = player.bid(mine, 590)
    assert again is not None
    assert (again.text, len(engine.prompts)) == (first.text, 1)
    say(mine, "Cleo", "Anna what do you say?")
    asked = player.bid(mine, 580)
    assert asked is not None
    assert (asked.text, len(engine.prompts)) == ("I have one more thing to say.", 2)


def test_talk_at_any_time_ends(tokenizer: Any) -> None:
    village, players = play(tiny_mind(tokenizer), 4, talk="anytime", talk_minutes=2.0)
    assert village.winner
    assert not village.invalid
    for name, player in players.items():
        said = list[str]()
        for line in village.lines:
            if line.speaker == name and line.is_speech and player.account["plan"] == 0:
                assert problem(line.text, village.sights[name], said) in ("", "repeated", "secret", "claim")
                said.append(line.text)


# Loading


def test_any_model_can_sit_down(tiny_gpt2: Path) -> None:
    notes: list[str] = []
    mind = Mind.load(tiny_gpt2, PlayersConfig(mind="model", slots=2, engine="torch", max_new_tokens=5), notes.append)
    assert any("nobody taught it" in note for note in notes)
    assert (mind.choice, mind.team, mind.sampling.max_new_tokens) == ("model", "tiny-gpt-2"[:-2] + "2-", 5)
    assert mind.voice.engine.decoder.slots == 2


@pytest.mark.parametrize(
    ("run", "problem"),
    [
        (None, "nobody taught"),
        ({"style": "dialogpt", "data": {"speakers": {"Ann": 1}}}, "dialogpt"),
        ({"style": "named", "persona": "Ann", "data": {"speakers": {"Ann": 1}}}, "Ann alone"),
        ({"style": "named", "persona": None, "data": {"speakers": {"Ann": 1}}}, ""),
    ],
)
def test_a_run_that_did_not_learn_to_play_is_told(run: Any, problem: str) -> None:
    assert problem in unfit(run)
    assert bool(unfit(run)) == bool(problem)


def test_a_teams_name_does_not_end_with_a_digit(tmp_path: Path) -> None:
    assert team_of(tmp_path / "wolf one") == "wolf-one"
    assert team_of(tmp_path / "run7") == "run7-"


def test_nothing_heavy_is_loaded_before_a_model_is() -> None:
    code = "import sys, wolf_chatbox.play.players.model; sys.exit(bool({'torch', 'transformers'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_villager_says_only_what_it_believes(tokenizer: Any) -> None:
    """After a seer's finding, nobody on its side calls the innocent one a wolf."""
    drawn = ("I think Bela is a werewolf.", "I will vote for Bela.", "We should all think about it.")
    mine = sight("SEER")
    mine.learn(Event(0, 0, "divine", "Anna", "Bela", "HUMAN"))
    mine.learn(Event(0, 1, "day"))
    player = ModelPlayer(scripted_mind(tokenizer, *drawn), 0)
    mine.left = 3
    while plan := player._plan("talk", mine):
        say(mine, "Anna", plan)
    say(mine, "Cleo", "I see.")
    assert player.answer("talk", mine) == drawn[2]
    assert player.account["unbelieved"] == 2
    free = ModelPlayer(scripted_mind(tokenizer, *drawn, choice="model"), 0)
    assert free.answer("talk", mine) == drawn[0]
