"""Rooms: one reply at a time in each, several rooms at once, everything kept, and nothing typed lost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from serving import held, make_served
from wolf_chatbox.errors import ChatError, ModelError
from wolf_chatbox.page.characters import Characters
from wolf_chatbox.page.room import Drawing, Room
from wolf_chatbox.page.rooms import Rooms
from wolf_chatbox.page.workspace import Workspace
from wolf_chatbox.talk.archive import Archive
from wolf_chatbox.talk.server.roster import Roster, Served

RECORD = {"persona": "Rick", "style": "named", "data": {"speakers": {"Rick": 5, "Morty": 4, "Beth": 2}}}


class Place:
    """A page's folder with one run, whose model is a tiny one that a test can hold up."""

    def __init__(self, root: Path, served: Served) -> None:
        workspace = Workspace(root / "home")
        workspace.make()
        self.folder = workspace.characters / "run"
        self.folder.mkdir()
        (self.folder / "run.json").write_text(json.dumps(RECORD))
        self.served = served
        characters = Characters(workspace, [], Roster(), lambda name, folder: served)
        self.archive = Archive(workspace.chats)
        self.rooms = Rooms(characters, self.archive)

    def again(self) -> Rooms:
        """The rooms of a page that was started anew."""
        return Rooms(self.rooms.characters, Archive(self.archive.folder))


@pytest.fixture
def place(tmp_path: Path, tokenizer: Any) -> Place:
    return Place(tmp_path, make_served(tokenizer, endless=True))


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        await asyncio.wait_for(work(), 60)

    asyncio.run(whole())


async def until(true: Callable[[], bool]) -> None:
    while not true():
        await asyncio.sleep(0.005)


async def ask(room: Room, text: str = "Where are we?") -> None:
    await room.draw(lambda session: session.stream(text), Drawing(asked=text))


def texts(room: Room) -> list[str]:
    return [turn.text for turn in room.tree.turns]


def test_a_reply_is_kept_and_a_page_started_anew_has_the_chat(place: Place) -> None:
    async def work() -> None:
        room = place.rooms.new("run", "Rick")
        assert not place.archive.all(), "a chat without a message is not kept"
        await ask(room)
        kept = place.again().get(room.id)
        assert kept is not None
        assert texts(kept) == texts(room)
        assert len(texts(kept)) == 2
        assert (kept.run, kept.persona, kept.user, kept.present) == ("run", "Rick", "Morty", ("Rick",))

    run(work)


def test_whoever_looks_at_a_room_is_told_and_a_room_nobody_looks_at_is_forgotten(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wolf_chatbox.page.room.EVERY", 0)

    async def work() -> None:
        room, seen = place.rooms.new("run", "Rick"), list[str]()

        def look() -> None:
            if room.drawing is not None:
                seen.append(room.drawing.text)

        room.listeners.add(look)
        await ask(room)
        assert any(seen), "the reply was shown while it was drawn"
        assert place.rooms.get(room.id) is room
        place.rooms.leave(room, look)
        assert place.rooms.get(room.id) is not room

    run(work)


def test_a_stop_keeps_what_there_is_and_another_reply_waits_for_its_turn(place: Place) -> None:
    async def work() -> None:
        room = place.rooms.new("run", "Rick")
        await room.ready()
        held(place.served).clear()
        drawing = asyncio.ensure_future(ask(room))
        await until(lambda: room.drawing is not None and room.drawing.entered)
        with pytest.raises(ChatError, match="Stop it first"):
            await ask(room, "Me too!")
        with pytest.raises(ChatError, match="Stop it first"):
            await room.go(0)
        room.stop()
        held(place.served).set()
        await drawing
        assert texts(room)[0] == "Where are we?"
        assert all(message.cut for message in room.tree.messages if message.drawn)
        assert "Me too!" not in texts(room)

    run(work)


def test_a_stop_ends_a_reply_that_shows_nothing_before_the_choice(place: Place) -> None:
    async def work() -> None:
        room = place.rooms.new("run", "Rick")
        await room.tune(best_of=4)
        held(place.served).clear()
        drawing = asyncio.ensure_future(ask(room))
        await until(lambda: room.drawing is not None and room.drawing.entered)
        room.stop()
        held(place.served).set()
        await drawing
        assert texts(room) == ["Where are we?"] or room.tree.messages[-1].cut

    run(work)


def test_what_was_stopped_before_the_character_woke_up_was_not_said(place: Place) -> None:
    async def work() -> None:
        room, drawing = place.rooms.new("run", "Rick"), Drawing(asked="Hello?")
        asking = asyncio.ensure_future(room.draw(lambda session: session.stream("Hello?"), drawing))
        await asyncio.sleep(0)
        room.stop()
        await asking
        assert not drawing.entered
        assert not texts(room)
        assert room.drawing is None

    run(work)


def test_a_message_that_does_not_fit_changes_nothing(place: Place) -> None:
    async def work() -> None:
        room = place.rooms.new("run", "Rick")
        await ask(room)
        before, drawing = room.tree, Drawing(asked="long")
        with pytest.raises(ChatError, match="Shorten it"):
            await room.draw(lambda session: session.reword(0, "word " * 500), drawing)
        assert not drawing.entered
        assert room.tree == before
        assert room.drawing is None

    run(work)


def test_two_rooms_draw_at_once(place: Place) -> None:
    async def work() -> None:
        rooms = [place.rooms.new("run", "Rick") for _ in range(2)]
        for room in rooms:
            await room.ready()
        held(place.served).clear()
        drawing = [asyncio.ensure_future(ask(room)) for room in rooms]
        await until(lambda: all(room.drawing and room.drawing.entered for room in rooms))
        assert place.served.gate.running == 2
        held(place.served).set()
        await asyncio.gather(*drawing)
        assert all(len(texts(room)) == 2 for room in rooms)

    run(work)


def test_an_earlier_reply_is_drawn_again_in_its_place_and_every_branch_can_be_reached(place: Place) -> None:
    async def work() -> None:
        room = place.rooms.new("run", "Rick")
        await ask(room, "First?")
        await ask(room, "Second?")
        await room.draw(lambda session: session.retry(1), Drawing(instead=1))
        assert len(texts(room)) == 2
        assert room.tree.siblings(1) == [1, room.tree.at]
        assert room.tree.at in room.drawn
        await room.go(1)
        assert texts(room)[2] == "Second?"
        await room.go(1, on=False)
        assert len(texts(room)) == 2
        await room.change(lambda session: session.edit(1, "Nowhere."))
        kept = place.again().get(room.id)
        assert kept is not None
        assert texts(kept) == ["First?", "Nowhere."]
        assert len(kept.tree.siblings(1)) == 3

    run(work)


def test_who_is_there_and_how_replies_are_drawn_come_back_with_the_chat(place: Place) -> None:
    async def work() -> None:
        room = place.rooms.new("run", "Rick")
        await ask(room)
        await room.change(lambda session: session.invite("Beth"))
        await room.change(lambda session: setattr(session, "next", "turn"))
        await room.tune(temperature=0.5, top_k=3)
        await room.tune(top_k=room.own_sampling.top_k)
        kept = place.again().get(room.id)
        assert kept is not None
        session = await kept.ready()
        assert (session.present, session.next) == (("Rick", "Beth"), "turn")
        assert session.sampling == room.own_sampling.changed(temperature=0.5)
        assert kept.about["sampling"] == {"temperature": 0.5}, "only what is not the character's own is kept"

    run(work)


def test_a_chat_of_a_run_that_is_gone_can_be_read_and_handed_to_another(place: Place) -> None:
    async def work() -> None:
        room = place.rooms.new("run", "Rick")
        await ask(room, "Morty, run!")
        place.folder.rename(place.folder.with_name("other"))
        gone = place.again().get(room.id)
        assert gone is not None
        with pytest.raises(ModelError, match="no such character"):
            await ask(gone)
        assert texts(gone) == texts(room)
        await gone.go(0, on=False)
        await gone.hand_over("other")
        await ask(gone, "And now?")
        assert texts(gone)[:2] == ["Morty, run!", "And now?"]
        assert gone.persona in gone.tree.messages[0].heard

    run(work)


def test_a_removed_chat_stays_removed_though_a_reply_was_drawn(place: Place) -> None:
    async def work() -> None:
        room = place.rooms.new("run", "Rick")
        room.listeners.add(lambda: None)
        await ask(room)
        held(place.served).clear()
        drawing = asyncio.ensure_future(ask(room, "Still there?"))
        await until(lambda: room.drawing is not None and room.drawing.entered)
        place.rooms.remove(room.id)
        held(place.served).set()
        await drawing
        assert not place.archive.all()
        assert place.rooms.get(room.id) is None
        assert room.removed

    run(work)


def test_impersonating_says_nothing(place: Place) -> None:
    async def work() -> None:
        room = place.rooms.new("run", "Rick")
        await ask(room)
        before = room.tree
        assert await room.impersonate()
        assert room.tree == before

    run(work)
