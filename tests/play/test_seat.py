"""A game at the terminal: what a person is told, what it types, and that nothing is lost however it leaves."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from rich.cells import cell_len

from wolf_chatbox.errors import DataError
from wolf_chatbox.play.moderator import Moderator
from wolf_chatbox.play.player import Player
from wolf_chatbox.play.players.chance import ChancePlayer
from wolf_chatbox.play.players.human import HumanPlayer
from wolf_chatbox.play.seating import Sitting, sit_down
from wolf_chatbox.play.terminal.answers import COMMANDS, Completing, as_said, is_cut, named
from wolf_chatbox.play.terminal.seat import Leave, Seat
from wolf_chatbox.play.terminal.sitting import Pipe
from wolf_chatbox.play.terminal.telling import Telling
from wolf_chatbox.screen import Screen
from wolf_chatbox.werewolf.rules import Village
from wolf_chatbox.werewolf.sight import Kind, Sight
from wolf_chatbox.werewolf.steps import Step
from wolf_chatbox.werewolf.table import TableConfig
from wolf_chatbox.words import words_of

PATIENCE = 60
SECRET = "We attack tonight."


class Speaker(ChancePlayer):
    """Claims to be what it is not, and whispers a secret."""

    def answer(self, kind: Kind, sight: Sight) -> str | None:
        if kind == "whisper":
            return SECRET if sight.left > 3 else "Over"
        if kind == "talk" and sight.left == sight.table.talks:
            self.thought = f"{sight.me} thinks."
            return {"en": "I am the seer.", "ja": "占い師COします。"}[sight.table.language]
        return super().answer(kind, sight)


def make(word: str) -> Callable[[int | str | None], Player]:
    return Speaker


def sitting(seed: int = 1, role: str = "VILLAGER", human: Player | None = None, **table: Any) -> Sitting:
    return sit_down(TableConfig(**table), {"Ann": human or Speaker(0)}, ["x"], make, seed, {"Ann": role})


def told(seed: int, role: str, width: int = 80, **table: Any) -> tuple[Sitting, str]:
    """A whole game among agents, as Ann's terminal tells it until the end."""
    held = sitting(seed, role, **table)
    telling = Telling(held.village, "Ann", lambda: width)
    pieces = list(telling.card())

    def watch(village: Village, step: Step) -> None:
        if not village.over:
            pieces.extend(telling.news())

    Moderator(held.village, held.players, watch=watch).lead()
    return held, "\n".join(piece.plain for piece in pieces)


# What is told


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("width", [20, 60, 100])
def test_no_line_is_wider_than_the_terminal(language: str, width: int) -> None:
    held, text = told(3, "SEER", width, players=9, language=language)
    telling = Telling(held.village, "Ann", lambda: width)
    text += "\n" + "\n".join(piece.plain for piece in (*telling.reveal(), *telling.so_far(), *telling.see_all()))
    assert [line for line in text.splitlines() if cell_len(line) > width] == []


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.sampled_from(["VILLAGER", "SEER", "WEREWOLF", "POSSESSED", "BODYGUARD", "MEDIUM"]))
def test_a_terminal_tells_what_the_person_may_know_and_nothing_else(seed: int, role: str) -> None:
    held, text = told(seed, role, 100, players=9)
    sight = held.village.sights["Ann"]
    assert (SECRET in text) == any(line.whisper and line.is_speech for line in sight.lines)
    if role != "WEREWOLF":
        assert "The werewolves' votes" not in text
        assert " was a werewolf" not in text or role == "MEDIUM"
    assert text.count("You found out") == len(
        [event for event in sight.events if event.kind in ("divine", "medium")]
    ) - sum(event.kind == "medium" and event.day == held.village.day for event in sight.events)
    said = [line for line in sight.lines if line.is_speech]
    assert len(re.findall(r"^\w+(?: \(whispers\))?: ", text, re.MULTILINE)) >= len(said)


def test_a_death_is_told_in_the_morning() -> None:
    for seed in range(20):
        held, text = told(seed, "VILLAGER", 100, players=9)
        days = re.split(r"^── (?=Day)", text, flags=re.MULTILINE)[1:]
        for event in held.village.events:
            if event.kind == "attack" and event.result == "killed" and event.day + 1 < len(days):
                assert f"In the night {event.target} died." in days[event.day + 1]
                assert "In the night" not in days[event.day].partition("── Night")[2]
                return
    pytest.fail("nobody was killed in twenty games")


def test_claims_are_marked_and_names_keep_their_colours() -> None:
    held, text = told(2, "VILLAGER", 100)
    assert "I am the seer.  ◆ claims to be seer" in text
    telling = Telling(held.village, "Ann")
    colours = {name: telling.colour(name) for name in held.village.names}
    assert len(set(colours.values())) == 5
    lines = [telling.line(line) for line in held.village.lines if line.is_speech]
    for line in lines:
        name = line.plain.partition(":")[0].partition(" (")[0]
        assert any(colours[name] in str(span.style) for span in line.spans)


def test_control_characters_of_a_player_are_shown_and_not_obeyed() -> None:
    class Rude(ChancePlayer):
        def answer(self, kind: Kind, sight: Sight) -> str | None:
            return "\x1b[2Jgone" if kind == "talk" and sight.left > 3 else super().answer(kind, sight)

    held = sit_down(TableConfig(), {"Ann": Rude(1)}, ["x"], make, 1)
    telling = Telling(held.village, "Ann")
    Moderator(held.village, held.players).lead()
    text = "".join(piece.plain for piece in telling.news())
    assert "Ann: ␛[2Jgone" in text
    assert "\x1b" not in text


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_reveal_has_roles_votes_thoughts_and_the_winner(language: str) -> None:
    held, _ = told(5, "SEER", players=9, language=language)
    text = "\n".join(piece.plain for piece in Telling(held.village, "Ann", lambda: 100).reveal())
    words = words_of(language)
    side = words(f"werewolf.sides.{held.village.winner}")
    assert words("werewolf.won", side=side[:1].upper() + side[1:]) in text
    assert words("werewolf_terminal.won" if held.village.winner == "VILLAGER" else "werewolf_terminal.lost") in text
    for name, role in held.village.roles.items():
        assert re.search(rf"\d  {name} .*{words(f'werewolf.roles.{role}')}", text)
    votes = [event for event in held.village.events if event.kind == "vote"]
    assert len(re.findall("\\d\u00a0", text)) == len(votes)
    assert "Ann thinks." in text


def test_the_graveyard_sees_what_was_hidden_before() -> None:
    for seed in range(30):
        held = sitting(seed, "VILLAGER", players=9)
        telling, pieces = Telling(held.village, "Ann", lambda: 100), []

        def watch(village: Village, step: Step, telling: Telling = telling, pieces: list[str] = pieces) -> None:
            pieces.extend(piece.plain for piece in telling.news())
            if not telling.sight.lives and not telling.everything:
                assert SECRET not in "".join(pieces)
                pieces.extend(piece.plain for piece in telling.see_all())
                assert SECRET in "".join(pieces)

        Moderator(held.village, held.players, watch=watch).lead()
        if "The werewolves attacked" in "".join(pieces):
            return
    pytest.fail("nobody watched a night in thirty games")


# What is typed


@pytest.mark.parametrize(
    ("typed", "name"),
    [("1", "Nancy"), ("３", "Albert"), ("nancy", "Nancy"), (" @Al ", "Albert"), ("alb", "Albert"), ("Nora.", "Nora")],
)
def test_a_player_is_named_by_number_name_or_beginning(typed: str, name: str) -> None:
    assert named(typed, ["Nancy", "Nora", "Albert"]) == (name, [])


@pytest.mark.parametrize(
    ("typed", "near"),
    [
        ("Nanzy", ["Nancy"]),
        ("N", ["Nancy", "Nora"]),
        ("0", ["Nancy", "Nora", "Albert"]),
        ("9" * 30, ["Nancy", "Nora", "Albert"]),
        ("", ["Nancy", "Nora", "Albert"]),
        ("?", ["Nancy", "Nora", "Albert"]),
    ],
)
def test_who_names_nobody_is_shown_the_nearest(typed: str, near: list[str]) -> None:
    assert named(typed, ["Nancy", "Nora", "Albert"]) == ("", near)


@settings(max_examples=50)
@given(st.text(max_size=20), st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=6, unique=True))
def test_any_text_names_somebody_or_nobody(typed: str, names: list[str]) -> None:
    name, near = named(typed, names)
    assert name in names if name else set(near) <= set(names)


def test_a_long_utterance_is_known_to_be_cut() -> None:
    held = sitting(letters=10)
    sight = held.village.sights["Ann"]
    other = next(name for name in held.village.names if name != "Ann")
    assert as_said("a b c", sight) == "a b c"
    assert not is_cut("a b c", as_said("a b c", sight))
    assert is_cut("a" * 11, as_said("a" * 11, sight))
    assert not is_cut(f"so @{other} you", as_said(f"so @{other} you", sight))


def test_the_tab_key_offers_what_fits() -> None:
    held = sitting()
    human = HumanPlayer()
    completing = Completing(human, held.village.names)

    def offered(text: str) -> list[str]:
        return [one.text for one in completing.get_completions(Document(text), CompleteEvent())]

    assert offered("/") == list(COMMANDS)
    assert offered("Well, @A") == [name for name in held.village.names if name.startswith("A")]
    assert offered("") == []
    human.sight, human.asked = held.village.sights["Ann"], "vote"
    assert offered("") == held.village.sights["Ann"].targets("vote")


# A seat, without a terminal


class Open(Seat):
    """A seat whose questions are answered by a test."""

    def until(self, ready: Callable[[], bool]) -> None:
        for _ in range(PATIENCE * 100):
            if ready() or self.ended.is_set():
                return
            self.woken.clear()
            self.woken.wait(0.01)
        pytest.fail("the game stands still")


@pytest.fixture
def seats() -> Iterator[Callable[..., Open]]:
    made: list[Open] = []

    def start(asks: bool = True, seconds: float | None = None, **how: Any) -> Open:
        human = HumanPlayer(seconds=seconds)
        console = Screen(file=io.StringIO(), width=100)
        made.append(Open(sitting(human=human, **how), human, console, asks=asks, pace=0))
        made[-1].start()
        return made[-1]

    yield start
    for seat in made:
        seat.leave()
        seat.join()


def shown(seat: Seat) -> str:
    text = seat.console.file
    assert isinstance(text, io.StringIO)
    return text.getvalue()


def test_an_empty_line_twice_ends_the_talk_and_once_does_not(seats: Any) -> None:
    seat = seats(role="SEER")
    seat.until(lambda: seat.human.waits)
    assert seat.take("") == ""
    assert "Press Enter again" in shown(seat)
    assert seat.human.waits
    seat.take("")
    seat.until(lambda: seat.human.asked == "divine")
    assert "Whom do you look at?" in shown(seat)
    assert [line.text for line in seat.village.lines if line.speaker == "Ann"] == ["Over"]


def test_a_long_line_comes_back_and_is_sent_when_it_is_sent_again(seats: Any) -> None:
    seat = seats(letters=10)
    seat.until(lambda: seat.human.waits)
    assert seat.take("a" * 20) == "a" * 20
    assert "Too long (20): it would end with “…aaaaaaaaaa”. Shorten" in shown(seat)
    assert seat.take("a" * 20) == ""
    seat.until(lambda: seat.human.waits and seat.human.sight.left == 3)
    assert [line.text for line in seat.village.lines if line.speaker == "Ann"] == ["a" * 10]


def test_a_wrong_name_is_asked_for_again(seats: Any) -> None:
    seat = seats(role="SEER")
    seat.until(lambda: seat.human.waits)
    seat.take("/over")
    seat.until(lambda: seat.human.asked == "divine")
    name = seat.human.sight.targets("divine")[0]
    seat.take("xyzzy")
    assert "xyzzy: nobody of that name or number." in shown(seat)
    seat.take(name[:3])
    assert f"You look at {name}." in shown(seat)
    seat.until(lambda: seat.village.day == 1)
    assert f"You found out that {name} is " in shown(seat)


def test_over_is_no_vote(seats: Any) -> None:
    seat = seats(talks=1, role="SEER")
    seat.until(lambda: seat.human.waits)
    seat.take("Hello.")
    seat.until(lambda: seat.human.asked == "divine")
    assert seat.take("/over") == ""
    assert "/over: only while it is your turn to talk." in shown(seat)
    assert seat.human.waits


def test_a_line_that_comes_too_early_is_given_back(seats: Any) -> None:
    seat = seats()
    seat.until(lambda: seat.human.waits)
    seat.take("/over")
    seat.take("/over")
    seat.leave()
    seat.human.asked = None
    assert seat.take("Hello?") in ("Hello?", "")
    assert "Nothing is asked of you now" in shown(seat)


def test_commands_show_the_game_and_say_nothing(seats: Any) -> None:
    seat = seats()
    seat.until(lambda: seat.human.waits)
    for command, text in (
        ("/help", "/players who lives"),
        ("/players", "Ann"),
        ("/log", "── Day 0"),
        ("/skip", "nobody can skip"),
        ("/nonsense", "/nonsense: no such command."),
    ):
        assert seat.take(command) == ""
        assert text in shown(seat).partition("── Day 0")[2] + shown(seat)
    assert seat.human.waits
    assert not [line for line in seat.village.lines if line.speaker == "Ann"]


def test_leaving_is_asked_for_twice_and_any_other_line_takes_it_back(seats: Any) -> None:
    seat = seats()
    seat.until(lambda: seat.human.waits)
    seat.interrupt()
    assert "Leave the table?" in shown(seat)
    seat.take("/players")
    seat.interrupt()
    with pytest.raises(Leave):
        seat.take("/quit")
    seat.leave()
    seat.join()
    assert not seat.village.over


def test_an_answer_that_does_not_come_is_none(seats: Any) -> None:
    seat = seats(seconds=0.05)
    seat.until(lambda: seat.village.unanswered["Ann"] > 0)
    assert "The time for your answer is up." in shown(seat)


def test_what_is_asked_stands_at_the_prompt(seats: Any) -> None:
    seat = seats(role="SEER", talk="anytime")
    seat.until(lambda: seat.human.waits)
    assert seat.prompt() == "Ann: "
    assert re.fullmatch(r"4 utterances left · 4/125 · /over · (9|10):\d\d", seat.status("a b cd"))
    seat.take("/over")
    seat.until(lambda: seat.human.asked == "divine")
    assert seat.prompt() == "Look at: "
    assert seat.status() == "a number or a name"


def test_who_is_at_work_at_night_is_not_told() -> None:
    human = HumanPlayer()
    held = sitting(human=human, players=9)
    seat = Seat(held, human, Screen(file=io.StringIO()), asks=True, pace=0)
    from wolf_chatbox.werewolf.steps import Ask

    for kind in ("divine", "guard", "attack", "whisper"):
        seat._step = Ask(kind, (held.village.names[0],))  # type: ignore[arg-type]
        assert seat.status() == "It is night"
    seat._step = Ask("talk", (held.village.names[0],))
    assert held.village.names[0] in seat.status()


def test_what_ends_the_game_reaches_the_person() -> None:
    class Broken(ChancePlayer):
        def answer(self, kind: Kind, sight: Sight) -> str | None:
            raise DataError("broken")

    human = HumanPlayer()
    held = sit_down(TableConfig(), {"Ann": human}, ["x"], lambda word: Broken, 1)
    seat = Pipe(held, human, Screen(file=io.StringIO()), asks=False, pace=0)
    seat.lines(io.StringIO("\n" * 50))
    with pytest.raises(DataError, match="broken"):
        seat.join()
