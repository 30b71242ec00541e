"""What was said in a chat, and who is there: a tree of messages, the person, and the characters who are present."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from wolf_chatbox.conversation import Turn, is_unicode
from wolf_chatbox.errors import ChatError
from wolf_chatbox.model.speech import find_persona, one_voice
from wolf_chatbox.model.voice import Voice
from wolf_chatbox.talk.group import of_name
from wolf_chatbox.talk.saved import read_chat, write_chat
from wolf_chatbox.talk.tree import Message, Tree


class Chat:
    """A tree of messages between a person and the characters who are present; `ChatSession` has them answer."""

    def __init__(self, voice: Voice, *, persona: str, user: str) -> None:
        self.voice = voice
        self.persona = persona
        """Who answers where nobody else is spoken to."""
        self.present: tuple[str, ...] = (persona,)
        """Who hears what is said, besides the person."""
        self.user = user
        # The second one is the chat as it was saved or loaded last.
        self.tree = self.saved = Tree()

    @property
    def speakers(self) -> Mapping[str, int]:
        """The speakers that the model knows, with how many turns of each it was trained on."""
        return self.voice.speakers

    @property
    def history(self) -> tuple[Turn, ...]:
        """The conversation at hand: the present path through the tree."""
        return self.tree.turns

    @history.setter
    def history(self, turns: tuple[Turn, ...]) -> None:
        self.tree = Tree.of(turns, self._everybody())

    # Where the chat is.

    def undo(self) -> Turn:
        """Go back to before the last message; returns it. It stays as a branch. Raises ChatError without any."""
        for number in reversed(self.tree.path()):
            message = self.tree.messages[number]
            if message.speaker not in self.present:
                self.tree = self.tree.go(message.after)
                return Turn(message.speaker, message.text)
        raise ChatError("there is no message yet. Send one first.")

    def edit(self, number: int, text: str) -> None:
        """Put another text in the place of a message, of either side; the old one and what followed stay as a branch.

        `number` is the message's place in the tree. Raises ChatError when there is none.
        """
        self.tree = self.tree.instead(self.tree.known(number), checked(text))

    def branches(self, number: int) -> list[int]:
        """The numbers of a message and of those that were said in its place."""
        return self.tree.siblings(self.tree.known(number))

    def go(self, number: int | None = None) -> None:
        """Go to a message, and on to the end of its branch; without a number, on from where the chat is."""
        self.tree = self.tree.go(self.tree.end(self.tree.at if number is None else self.tree.known(number)))

    def back(self, count: int = 1) -> None:
        """Go back by so many messages. Raises ChatError when there are fewer."""
        self.tree = self.tree.back(count)

    def reset(self) -> None:
        """Forget the conversation, with all its branches."""
        self.tree = Tree()

    def save(self, path: Path, *, overwrite: bool = False) -> None:
        """Write the chat as JSON Lines: the conversation in the form of `wolf-chatbox data convert`, and the tree.

        The file is readable by you only (0600). Raises CheckpointError when it exists, unless `overwrite` is set, or
        when it cannot be written.
        """
        write_chat(self.tree, self.present, path, overwrite=overwrite)
        self.saved = self.tree

    def load_history(self, path: Path) -> None:
        """Continue a saved chat; raises ChatError, and keeps the present one, when it cannot be read.

        Those who were present are so again, if the persona is one of them. A persona who heard nothing of it takes
        everybody's place.
        """
        tree, present = read_chat(path)
        if len(present) > 1 and self.persona in present and self.user not in present and self._is_named:
            self.present = present
        else:
            self.present = (self.persona,)
            if not any(self.persona in message.heard for message in tree.messages):
                for seat in {message.speaker for message in tree.messages} - {self.user}:
                    tree = tree.recast(seat, self.persona)
        self.tree = self.saved = tree

    # Who is there.

    def become(self, persona: str) -> None:
        """Let another speaker take the persona's place, and know what it has heard; it greets if nobody has spoken.

        Raises DataError with the nearest names when the model does not know the name, ChatError when the model has one
        voice only.
        """
        persona = self._known(persona)
        if persona == self.user:
            self.user = self.persona
        if persona not in self.present:
            self.tree = self.tree.recast(self.persona, persona)
            self.present = tuple(persona if name == self.persona else name for name in self.present)
        self.persona = persona
        if self.tree.greeted:
            self.tree = Tree()
            self.greet()

    def greet(self) -> Message | None:
        """Let a chat in which nobody has spoken begin with what the persona says first by its card; returns that."""
        text = self.voice.cards.greeting(self.persona, self.user)
        if not text or self.tree.messages:
            return None
        self.tree = self.tree.say(Message(self.persona, text, heard=self._everybody(), greeting=True))
        return self.tree.last

    def invite(self, name: str) -> str:
        """Let one more speaker hear what is said from now on, and answer; returns the name as the model knows it.

        Raises what `become` raises, and ChatError when the speaker is there already.
        """
        if not self._is_named:
            raise ChatError(one_voice(self.voice.renderer.style.name, self.persona))
        name = self._known(name)
        if name in (*self.present, self.user):
            raise ChatError(f"{name} is in this chat already. Invite somebody else.")
        self.present = (*self.present, name)
        return name

    def dismiss(self, name: str) -> str:
        """Let one of those present hear no more; returns the name. Raises ChatError when nobody else would be left."""
        name = self._find(name)
        if len(self.present) == 1:
            raise ChatError(f"only {name} is left. /invite somebody else first.")
        self.present = tuple(other for other in self.present if other != name)
        if name == self.persona:
            self.persona = self.present[0]
        return name

    @property
    def _is_named(self) -> bool:
        return self.voice.renderer.style.name == "named"

    def _known(self, name: str) -> str:
        """A speaker whom the model knows and can be."""
        name = find_persona(name, self.speakers)
        if not self._is_named and name != self.persona:
            raise ChatError(one_voice(self.voice.renderer.style.name, self.persona))
        return name

    def _find(self, name: str) -> str:
        """Who of those present has this name."""
        found = of_name(name, self.present)
        if found is None:
            raise ChatError(f"{name} is not in this chat. /invite {name} first, or name {' or '.join(self.present)}.")
        return found

    def _everybody(self) -> frozenset[str]:
        return frozenset({self.user, *self.present})


def checked(message: str) -> str:
    """A message without spaces around it; raises ChatError when it is empty or not valid text."""
    text = message.strip()
    if not text:
        raise ChatError("the message is empty. Type some text.")
    if not is_unicode(text):
        raise ChatError("the message is not valid text in the input's encoding, usually UTF-8. Send it in that.")
    return text
