"""A chat with a model: a history, and a voice that answers it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.conversation import Conversation, Turn, parse_conversations, write_conversations
from wolf_chatbox.errors import ChatError, DataError
from wolf_chatbox.files import new_file
from wolf_chatbox.model.character import Character, find_persona, load_character, one_voice
from wolf_chatbox.model.voice import Reply, Voice
from wolf_chatbox.scene import Scene


class ChatSession:
    """Answers as the persona; the user's messages and the replies make up the history.

    session = ChatSession.load("wolf_model", persona="Rick")
    print(session.reply("Where are we?"))
    """

    def __init__(
        self,
        voice: Voice,
        *,
        persona: str,
        user: str,
        sampling: SamplingConfig | None = None,
        seed: int | None = None,
    ) -> None:
        self.voice = voice
        self.persona = persona
        self.user = user
        self.sampling = sampling or SamplingConfig()
        self.history: tuple[Turn, ...] = ()
        self._last: tuple[Turn, Reply] | None = None
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

    @property
    def speakers(self) -> Mapping[str, int]:
        """The speakers that the model knows, with how many turns of each it was trained on."""
        return self.voice.speakers

    def stream(self, message: str) -> Iterator[str]:
        """Send a message; yields the reply piece by piece.

        The message joins the history at once, the reply when it is complete, or with the pieces drawn so far when the
        generator is closed early. Raises ChatError, at once, when the message is empty, not valid text, or does not fit
        into the context; while the reply is drawn ModelError when the model's logits are NaN or infinite.
        """
        text = message.strip()
        if not text:
            raise ChatError("the message is empty. Type some text.")
        if not is_unicode(text):
            raise ChatError("the message is not valid text in the input's encoding, usually UTF-8. Send it in that.")
        return self._answer((*self.history, Turn(self.user, text)))

    def reply(self, message: str) -> str:
        """Send a message and wait for the whole reply."""
        return "".join(self.stream(message))

    def retry(self) -> Iterator[str]:
        """Draw another reply to the last message; raises ChatError when there is none."""
        last = self._last_message()
        return self._answer(self.history[: last + 1])

    @property
    def cut(self) -> bool:
        """Whether the last reply ended at `max_new_tokens`, or at the end of the context; `more` continues it."""
        return bool(self.history and self._last and self._last[0] is self.history[-1] and self._last[1].cut)

    def more(self) -> Iterator[str]:
        """Continue the last reply, also a stopped or a loaded one; yields the pieces that are added to its turn.

        Yields nothing when the model adds nothing. Raises ChatError when there is no reply, or it fills the context.
        """
        if not self.history or self.history[-1].speaker != self.persona:
            raise ChatError(f"there is no reply of {self.persona} to continue. Send a message first.")
        *before, last = self.history
        return self._answer(tuple(before), last)

    def undo(self) -> Turn:
        """Remove the last message and what followed it; returns the message. Raises ChatError when there is none."""
        last = self._last_message()
        message = self.history[last]
        self.history = self.history[:last]
        return message

    def reset(self) -> None:
        """Forget the conversation."""
        self.history = ()

    def become(self, persona: str) -> None:
        """Let another speaker answer; raises DataError with the nearest names when the model does not know the name."""
        persona = find_persona(persona, self.speakers)
        style = self.voice.renderer.style.name
        if style != "named" and persona != self.persona:
            raise ChatError(one_voice(style, self.persona))
        if persona == self.user:
            self.user = self.persona
        self.persona = persona

    def save(self, path: Path, *, overwrite: bool = False) -> None:
        """Write the conversation as JSON Lines, the form of `wolf-chatbox data convert`, readable by you only (0600).

        Raises CheckpointError when the file exists, unless `overwrite` is set, or when it cannot be written.
        """
        remedy = "Pass overwrite=True, or choose another name."
        with new_file(path, overwrite=overwrite, remedy=remedy, mode=0o600) as file:
            write_conversations([Conversation(self.history, "chat")], file)

    def load_history(self, path: Path) -> None:
        """Continue a saved conversation; raises ChatError, and keeps the present one, when it cannot be read."""
        try:
            with path.open(encoding="utf-8") as file:
                turns = next(parse_conversations(file, str(path)), Conversation(())).turns
            if not all(is_unicode(turn.speaker + turn.text) for turn in turns):
                raise DataError("half a surrogate pair is not a character")
            self.history = turns
        except (OSError, UnicodeDecodeError, DataError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not a saved chat"
            raise ChatError(f"{path}: {reason}. Give a file that /save wrote.") from error

    def _last_message(self) -> int:
        said = [at for at, turn in enumerate(self.history) if turn.speaker != self.persona]
        if not said:
            raise ChatError("there is no message yet. Send one first.")
        return said[-1]

    def _answer(self, history: tuple[Turn, ...], said: Turn | None = None) -> Iterator[str]:
        """The pieces of an answer to the history, or of what is added to what was `said`."""
        # A question stays asked, however early its answer is stopped.
        before, self.history = self.history, (*history, *((said,) if said else ()))
        try:
            scene = Scene(history, speaker=self.persona)
            reply = self.voice.answer(scene, self.sampling, self._random.getrandbits(32), self._begun(said))
        except ChatError:
            self.history = before
            raise
        return self._pieces(history, said or Turn(self.persona, ""), reply)

    def _pieces(self, history: tuple[Turn, ...], said: Turn, reply: Reply) -> Iterator[str]:
        try:
            yield from reply
        finally:
            if text := reply.text.strip():
                turn = said._replace(text=text)
                self.history = (*history, turn)
                self._last = (turn, reply)

    def _begun(self, said: Turn | None) -> Reply | None:
        """What is known of a reply to continue: its ids too where it is the last one drawn, else its text alone."""
        if said is None:
            return None
        drawn = self._last[1].ids if self._last and self._last[0] is said else []
        return Reply(said.text, drawn)


def is_unicode(text: str) -> bool:
    """Whether a text can be encoded: it has no halves of surrogate pairs, which stand for bytes that are not UTF-8."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
