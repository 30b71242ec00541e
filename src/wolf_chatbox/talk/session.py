"""A chat with one or several characters: a tree of messages, and a voice that answers."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from wolf_chatbox.config import NextSpeaker, SamplingConfig
from wolf_chatbox.conversation import Turn
from wolf_chatbox.errors import ChatError
from wolf_chatbox.model.character import Character, load_character
from wolf_chatbox.model.voice import Reply, Voice
from wolf_chatbox.scene import Scene
from wolf_chatbox.talk.chat import Chat, checked
from wolf_chatbox.talk.group import addressed, choose, in_turn, mentioned
from wolf_chatbox.talk.memory import Recalled
from wolf_chatbox.talk.recollection import Recollection
from wolf_chatbox.talk.state import write_state
from wolf_chatbox.talk.tree import START, Message, Tree


@dataclass(frozen=True)
class Drawn:
    """How a reply came about."""

    message: Message
    """As it stands in the tree."""
    reply: Reply
    scene: Scene
    """What it was drawn from."""
    seed: int
    recalled: tuple[Recalled, ...] = ()
    """What came back out of earlier chats; the scene has it too."""


class ChatSession(Chat):
    """Answers as the persona, and as others who are invited; the person's messages and the replies make up a tree.

    session = ChatSession.load("wolf_model", persona="Rick")
    print(session.reply("Where are we?"))
    print("".join(session.retry()))       # another reply; the first one stays in the tree
    """

    def __init__(
        self,
        voice: Voice,
        *,
        persona: str,
        user: str,
        sampling: SamplingConfig | None = None,
        seed: int | None = None,
        next: NextSpeaker = "name",
    ) -> None:
        super().__init__(voice, persona=persona, user=user)
        self.sampling = sampling or SamplingConfig()
        self.next = next
        """Who speaks next in a group: the one who is named, the next in turn, or whom the model expects."""
        self.speaking = persona
        """Who gave the last reply, or gives one now."""
        self.drawn: Drawn | None = None
        """How the last reply came about."""
        self.recollection: Recollection | None = None
        """What is remembered of earlier chats; None remembers nothing."""
        self.over: Callable[[], bool] = lambda: False
        """Asked before each token: true ends a reply with what there is, also one that shows nothing yet."""
        self._random = random.Random(seed)

    @classmethod
    def load(
        cls, model: str | Path, *, sampling: SamplingConfig | None = None, seed: int | None = None, **settings: Any
    ) -> ChatSession:
        """Load a trained model's folder, or any base model; `settings` are those of `load_character`.

        `sampling` replaces the sampling settings that are saved with the model.
        """
        return cls.of(load_character(model, **settings), sampling=sampling, seed=seed)

    @classmethod
    def of(
        cls, character: Character, *, sampling: SamplingConfig | None = None, seed: int | None = None
    ) -> ChatSession:
        """A new chat with a character."""
        return cls(
            character.voice,
            persona=character.persona,
            user=character.user,
            sampling=sampling or character.sampling,
            seed=seed,
        )

    # What is said.

    def stream(self, message: str, *, to: str | None = None) -> Iterator[str]:
        """Send a message; yields the reply piece by piece.

        `to` names who answers; in a group so does an @name at the beginning of the message. The message joins the
        chat at once, the reply when it is complete, or with the pieces drawn so far when the generator is closed
        early. Raises ChatError, at once, when the message is empty, not valid text, or does not fit into the context;
        while the reply is drawn ModelError when the model's logits are NaN or infinite.
        """
        text = checked(message)
        name = self._find(to) if to is not None else None
        if to is None and len(self.present) > 1 and (name := addressed(text, [*self.present, *self.speakers])):
            name, text = self._find(name), text[1:]
        tree = self.tree.say(Message(self.user, text, heard=self._everybody()))
        return self._answer(tree, name or self._next_speaker(tree, self.present))

    def reply(self, message: str, *, to: str | None = None) -> str:
        """Send a message and wait for the whole reply."""
        return "".join(self.stream(message, to=to))

    def whisper(self, name: str, message: str) -> Iterator[str]:
        """Say something to one of those present alone, and have it answered; nobody else hears either."""
        name = self._find(name)
        message = checked(message)
        tree = self.tree.say(Message(self.user, message, heard=frozenset({self.user, name}), whispered=True))
        return self._answer(tree, name)

    def speak(self, name: str | None = None) -> Iterator[str]:
        """Let the next one speak, or the one of that name, without a message; yields the pieces of the turn."""
        if name is not None:
            return self._answer(self.tree, self._find(name))
        return self._answer(self.tree, self._answerer(self.tree))

    def reword(self, number: int, text: str) -> Iterator[str]:
        """Put another text in the place of a message, as `edit` does, and have it answered.

        Raises ChatError, and leaves the chat as it is, where there is no such message, or the text does not fit.
        """
        tree = self.tree.instead(self.tree.known(number), checked(text))
        return self._answer(tree, self._answerer(tree))

    def impersonate(self) -> Iterator[str]:
        """Let the model write the person's next message; yields its pieces and changes nothing."""
        scene = Scene(self.tree.turns, speaker=self.user)
        return iter(self.voice.answer(scene, self.sampling, self._random.getrandbits(32), over=self.over))

    def retry(self, number: int | None = None) -> Iterator[str]:
        """Draw another reply in the place of the last one, or of an earlier one; that stays as a branch.

        Raises ChatError where there is none.
        """
        last = self.tree.last if number is None else self.tree.messages[self.tree.known(number)]
        if last is None:
            raise ChatError("there is no message yet. Send one first.")
        if last.speaker not in self.present:
            return self.speak()
        return self._answer(self.tree.go(last.after), last.speaker, last)

    @property
    def cut(self) -> bool:
        """Whether the last reply ended at `max_new_tokens`, or at the end of the context; `more` continues it."""
        return bool(self._newest and self._newest.reply.cut)

    @property
    def repeats(self) -> bool:
        """Whether the last reply says one of the speaker's replies before it again, as every other try did."""
        return bool(self._newest and self._newest.reply.repeated)

    @property
    def _newest(self) -> Drawn | None:
        """How the reply came about that the chat ends with, if it was drawn in this session."""
        return self.drawn if self.drawn and self.drawn.message is self.tree.last else None

    def more(self, number: int | None = None) -> Iterator[str]:
        """Continue the last reply, or an earlier one, also a stopped or a loaded one; yields the pieces that are added.

        Yields nothing when the model adds nothing. Raises ChatError when there is no reply, or it fills the context.
        """
        at = self.tree.at if number is None else self.tree.known(number)
        last = None if at == START else self.tree.messages[at]
        if last is None or last.speaker not in self.present:
            raise ChatError(f"there is no reply of {self.persona} to continue. Send a message first.")
        return self._answer(self.tree.go(last.after), last.speaker, last, at)

    # How a reply comes about.

    def _answerer(self, tree: Tree) -> str:
        """Who speaks after the last message of a path: one of those who heard it, if it is the person's."""
        last = tree.last
        if last is not None and last.speaker == self.user:
            listeners = tuple(name for name in self.present if name in last.heard or not last.whispered)
            return self._next_speaker(tree, listeners or self.present)
        others = tuple(name for name in self.present if last is None or name != last.speaker) or self.present
        return self._next_speaker(tree, others)

    def _next_speaker(self, tree: Tree, names: tuple[str, ...]) -> str:
        """Who of the names speaks next."""
        if len(names) == 1:
            return names[0]
        said = [message.speaker for message in tree.said()]
        if self.next == "model":
            return choose(self.voice.who_speaks(self._common(tree, names), names), self._random.random())
        if self.next == "turn":
            return in_turn(names, said)
        named = mentioned(tree.last.text, names) if tree.last and tree.last.heard.issuperset(names) else None
        last = next((name for name in reversed(said) if name in names), None)
        return named or last or (self.persona if self.persona in names else names[0])

    def _common(self, tree: Tree, names: tuple[str, ...]) -> Scene:
        """What all of the names have heard."""
        said = [message for message in tree.said() if message.heard.issuperset(names)]
        return Scene(tuple(Turn(message.speaker, message.text) for message in said))

    def _answer(
        self, tree: Tree, speaker: str, instead: Message | None = None, begun: int | None = None
    ) -> Iterator[str]:
        """The pieces of a reply after the tree's last message; `instead` of another, or added to the one `begun`."""
        # A question stays asked, however early its answer is stopped.
        before, self.tree = self.tree, self.tree if instead else tree
        recalled = self._recall(tree, speaker)
        scene = self._scene(tree, speaker, recalled)
        seed = self._random.getrandbits(32)
        try:
            reply = self.voice.answer(scene, self.sampling, seed, self._begun(begun), over=self.over)
        except ChatError:
            self.tree = before
            raise
        self.speaking = speaker
        asked = tree.last
        to_answer = asked if asked and asked.speaker == self.user and speaker in asked.heard else None
        aside = next((one for one in (instead, to_answer) if one and one.whispered), None)
        heard = aside.heard if aside else self._everybody()
        message = Message(speaker, "", heard=heard, drawn=True, whispered=aside is not None)
        return self._pieces(tree, Drawn(message, reply, scene, seed, recalled), begun)

    def _scene(self, tree: Tree, speaker: str, recalled: tuple[Recalled, ...] = ()) -> Scene:
        """What somebody has heard at the end of a path, and what came back of earlier chats."""
        scene = Scene(tree.heard_by(speaker), speaker=speaker, recalled=tuple(each.turns for each in recalled))
        return self.voice.cards.brief(scene, self.user)

    def _recall(self, tree: Tree, speaker: str) -> tuple[Recalled, ...]:
        if self.recollection is None:
            return ()
        scene = self._scene(tree, speaker)
        held = self.voice.held(scene, self.sampling)
        return self.recollection.recall(speaker, self.user, scene.turns[len(scene.turns) - held :])

    def write_state(self, path: Path) -> bool:
        """Write what the engine has read of this chat, for `read_state`; returns whether there was anything."""
        try:
            prompt = self.voice.prompt(self._scene(self.tree, self.speaking), self.sampling)
        except ChatError:  # the last message fills the context
            return False
        return write_state(self.voice.engine, prompt, path)

    def keep(self) -> None:
        """Keep the chat in memory, if it remembers; raises CheckpointError."""
        if self.recollection is not None:
            self.recollection.keep(self.tree, self.present, self.user, now=True)

    def reset(self) -> None:
        """Begin another conversation; this one is forgotten, with all its branches, unless it is saved or kept."""
        self.keep()
        super().reset()
        if self.recollection is not None:
            self.recollection.begin()

    def load_history(self, path: Path) -> None:
        """Continue a saved chat, as `Chat.load_history` does; the present one is kept, if this session remembers."""
        self.keep()
        super().load_history(path)
        if self.recollection is not None:
            self.recollection.begin()

    def _pieces(self, tree: Tree, drawn: Drawn, begun: int | None) -> Iterator[str]:
        reply, whole = drawn.reply, False
        try:
            yield from reply
            whole = True
        finally:
            if text := reply.text.strip():
                cut = reply.cut or not whole or self.over()
                now = self.tree if self.tree.extends(tree) else tree
                if begun is None:
                    self.tree = now.add(tree.at, drawn.message._replace(text=text, cut=cut))
                else:
                    self.tree = now.grow(begun, text, cut=cut)
                self.drawn = replace(drawn, message=self.tree.messages[self.tree.at])
                if self.recollection is not None:
                    self.recollection.keep(self.tree, self.present, self.user)

    def _begun(self, number: int | None) -> Reply | None:
        """What is known of a reply to continue: its ids too where it is the last one drawn, else its text alone."""
        if number is None:
            return None
        newest = self._newest if number == self.tree.at else None
        return Reply(self.tree.messages[number].text, newest.reply.ids if newest else [])
