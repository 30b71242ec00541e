"""A chat with a model: a persona, a history, and replies that stream."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path

import torch

from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.conversation import Conversation, Turn, parse_conversations, write_conversations
from wolf_chatbox.data.split import find_speaker
from wolf_chatbox.errors import ChatError, ConfigError, DataError, ModelError
from wolf_chatbox.files import new_file
from wolf_chatbox.model.engines import Engine
from wolf_chatbox.model.engines.torch import TorchEngine
from wolf_chatbox.model.hub import DOWNLOAD_AGAIN, locate
from wolf_chatbox.model.load import inference_dtype, load_model
from wolf_chatbox.model.record import read_run
from wolf_chatbox.samples.rendering import Renderer, choose_style, make_renderer
from wolf_chatbox.samples.styles import ASSISTANT, USER
from wolf_chatbox.visible import Tell

FULL = "the reply fills the model's context. Say something instead."


class ChatSession:
    """Talks as one speaker with another; the history is a tuple of turns, changed only when a reply is whole.

    session = ChatSession.load("wolf_model", persona="Rick")
    print(session.reply("Where are we?"))
    """

    def __init__(
        self,
        engine: Engine,
        renderer: Renderer,
        *,
        persona: str,
        user: str,
        speakers: dict[str, int] | None = None,
        sampling: SamplingConfig | None = None,
        history_tokens: int | None = None,
        seed: int | None = None,
    ) -> None:
        self.engine = engine
        self.renderer = renderer
        self.persona = persona
        self.user = user
        self.speakers = speakers or {}
        self.sampling = sampling or SamplingConfig()
        self.history: tuple[Turn, ...] = ()
        self._drawn: tuple[Turn, list[int], bool] | None = None  # the last reply, its ids, and whether it was cut
        self._history_tokens = history_tokens
        self._random = random.Random(seed)

    @classmethod
    def load(
        cls,
        model: str | Path,
        *,
        persona: str | None = None,
        user: str | None = None,
        sampling: SamplingConfig | None = None,
        seed: int | None = None,
        trust_remote_code: bool = False,
        allow_base: bool = False,
        tell: Tell = lambda text: None,
    ) -> ChatSession:
        """Load a trained model's folder, or any base model.

        The persona is the given one, else the trained one, else the speaker with the most turns. `sampling` replaces
        the generation settings that were saved with the model. Raises ModelError, CheckpointError, or DataError with
        the nearest names when the persona is unknown.
        """
        folder = locate(str(model), tell)
        run = read_run(folder) or {}
        device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        base = load_model(
            str(folder),
            dtype=inference_dtype(device),
            trust_remote_code=trust_remote_code,
            allow_base=allow_base,
            tell=tell,
        )
        speakers: dict[str, int] = run.get("data", {}).get("speakers", {})
        style = run.get("style") or choose_style(base.tokenizer, (USER, ASSISTANT))[0]
        trained, partner = run.get("persona"), run.get("user", USER)
        asked = find_persona(persona, speakers) if persona else None
        chosen = (
            asked
            or trained
            or (next((each for each in speakers if each != partner), ASSISTANT) if speakers else ASSISTANT)
        )
        if style == "chat" and trained and chosen != trained:
            raise ChatError(
                f"persona {chosen}: a model of the style chat has one voice, {trained}. Train with --style named for many."
            )
        renderer = make_renderer(base.tokenizer, style, chosen, user or partner, speakers or (USER, ASSISTANT))
        return cls(
            TorchEngine(base.model, device, base.tokenizer),
            renderer,
            persona=chosen,
            user=user or (partner if partner != chosen else USER),
            speakers=speakers,
            sampling=sampling or saved_sampling(base.model.generation_config, folder),
            history_tokens=run.get("max_tokens"),
            seed=seed,
        )

    def stream(self, message: str) -> Iterator[str]:
        """Say something; yields the reply piece by piece.

        The message joins the history at once, the reply when it is whole; the pieces drawn so far do when the generator is closed
        early. Raises ChatError, at once, when the message is empty, no text, or does not fit into the context; while the reply is
        drawn ModelError when the model gives no numbers.
        """
        text = message.strip()
        if not text:
            raise ChatError("say something: an empty message has no answer.")
        if not is_unicode(text):
            raise ChatError(
                "the message is no valid text (its bytes are not in the encoding of the input, UTF-8 as a rule). Say it again."
            )
        return self._answer((*self.history, Turn(self.user, text)))

    def reply(self, message: str) -> str:
        """Say something and wait for the whole reply."""
        return "".join(self.stream(message))

    def retry(self) -> Iterator[str]:
        """Draw another reply to the last message; raises ChatError when there is none."""
        last = self._last_message()
        return self._answer(self.history[: last + 1])

    @property
    def cut(self) -> bool:
        """Whether the last reply ended because it had its most tokens (`max_new_tokens`, or the context); `more` goes on with it."""
        return bool(self.history and self._drawn and self._drawn[0] is self.history[-1] and self._drawn[2])

    def more(self) -> Iterator[str]:
        """Go on with the last reply, also a stopped or a loaded one; yields what is added, which the same turn takes in.

        Yields nothing when the model has nothing to add. Raises ChatError when there is no reply, or it fills the context.
        """
        if not self.history or self.history[-1].speaker != self.persona:
            raise ChatError(f"there is no reply of {self.persona} to go on with. Say something first.")
        *before, last = self.history
        kept = self._drawn[1] if self._drawn and self._drawn[0] is last else None
        return self._answer(tuple(before), last, kept or self.renderer.words(last))

    def undo(self) -> Turn:
        """Take the last message and what followed it back; returns the message. Raises ChatError when there is none."""
        last = self._last_message()
        message = self.history[last]
        self.history = self.history[:last]
        return message

    def reset(self) -> None:
        """Forget the conversation."""
        self.history = ()

    def become(self, persona: str) -> None:
        """Let another speaker answer; raises DataError with the nearest names when the model knows none of that name."""
        persona = find_persona(persona, self.speakers)
        if self.renderer.style.name != "named" and persona != self.persona:
            raise ChatError(
                f"a model of the style {self.renderer.style.name} has one voice: {self.persona}. Train with --style named for many."
            )
        if persona == self.user:
            self.user = self.persona
        self.persona = persona

    def save(self, path: Path, *, overwrite: bool = False) -> None:
        """Write the conversation as JSON Lines, the form of `wolf-chatbox data convert`, for your eyes only (0600).

        Raises CheckpointError when something is there already, unless it is a file and `overwrite` is set, or when the disk refuses.
        """
        with new_file(
            path, overwrite=overwrite, remedy="Pass overwrite=True, or choose another name.", mode=0o600
        ) as file:
            write_conversations([Conversation(self.history, "chat")], file)

    def load_history(self, path: Path) -> None:
        """Go on with a saved conversation; raises ChatError, and keeps the present one, when it cannot be read."""
        try:
            with path.open(encoding="utf-8") as file:
                turns = next(parse_conversations(file, str(path)), Conversation(())).turns
            if not all(is_unicode(turn.speaker + turn.text) for turn in turns):
                raise DataError("half a surrogate pair is no character")
            self.history = turns
        except (OSError, UnicodeDecodeError, DataError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not a saved chat"
            raise ChatError(f"{path}: {reason}. Name a file that /save wrote.") from error

    def _last_message(self) -> int:
        said = [at for at, turn in enumerate(self.history) if turn.speaker != self.persona]
        if not said:
            raise ChatError("there is no message yet. Say something first.")
        return said[-1]

    def _answer(self, history: tuple[Turn, ...], said: Turn | None = None, ids: Sequence[int] = ()) -> Iterator[str]:
        """The pieces of an answer to the history, or of what is added to what was `said`, of which `ids` were drawn."""
        before, self.history = (
            self.history,
            (*history, *filter(None, [said])),
        )  # a question stays asked, however early its answer is stopped
        try:
            prompt = self._prompt(history, len(ids))
            if len(prompt) + len(ids) >= self.engine.context:
                raise ChatError(FULL)
        except ChatError as error:
            self.history = before
            raise (ChatError(FULL) if said else error) from None
        return self._pieces(history, prompt, said, list(ids))

    def _pieces(self, history: tuple[Turn, ...], prompt: list[int], said: Turn | None, ids: list[int]) -> Iterator[str]:
        others = {turn.speaker for turn in history} | set(self.speakers)
        shown = begun = self._begun(said, ids)
        most = len(ids) + min(self.sampling.max_new_tokens, self.engine.context - len(prompt) - len(ids))
        tokens = self.engine.stream(
            [*prompt, *ids], self.sampling, self._stop_ids(), seed=self._random.getrandbits(32), begun=len(ids)
        )
        ended = False
        try:
            for token in tokens:
                ids.append(token)
                whole, ended = cut_at_other_speaker(self.renderer.decode(ids).lstrip(), others)
                # A half-decoded character and the start of a line that may turn out to be another speaker's wait.
                ready = whole if ended else settled(whole)
                if len(ready) > len(shown):
                    piece, shown = ready[len(shown) :], ready
                    yield piece
                if ended:
                    break
            rest = cut_at_other_speaker(self.renderer.decode(ids).lstrip(), others)[0].rstrip().rstrip("\ufffd")
            if len(rest) > len(shown):
                piece, shown = rest[len(shown) :], rest
                yield piece
        finally:
            text = (said.text if said else "") + shown[len(begun) :]
            if text.strip():
                turn = (said or Turn(self.persona, ""))._replace(text=text.strip())
                self.history = (*history, turn)
                self._drawn = None if ended else (turn, ids, len(ids) == most)

    def _begun(self, said: Turn | None, ids: list[int]) -> str:
        """The text of a reply so far, as its ids have it; a stopped one may have ids whose text waited."""
        text = self.renderer.decode(ids).lstrip() if said else ""
        return said.text if said and text.startswith(said.text) else text

    def _prompt(self, history: Sequence[Turn], begun: int = 0) -> list[int]:
        """The prompt, with room left for the reply, of which `begun` tokens are there; the rows of the training are the history's measure."""
        room = self.engine.context - min(self.sampling.max_new_tokens, self.engine.context // 2) - begun
        wanted = min(self._history_tokens or room, room)
        try:
            prompt = self.renderer.prompt(history, self.persona, wanted)
        except ChatError:  # a message longer than a row may still fit into the context, alone
            prompt = self.renderer.prompt(history, self.persona, room)
        return prompt or [self.renderer.end_id]

    def _stop_ids(self) -> set[int]:
        end = self.renderer.tokenizer.eos_token_id
        return {self.renderer.end_id} | ({end} if end is not None else set())


def find_persona(name: str, speakers: dict[str, int]) -> str:
    """The speaker of that name that a model knows; a model without a record takes any name."""
    return find_speaker(name, Counter(speakers)) if speakers else name


def is_unicode(text: str) -> bool:
    """Whether a text can be encoded: halves of surrogate pairs, such as Python makes of bytes that it cannot decode, cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def saved_sampling(generation: object, folder: Path) -> SamplingConfig:
    """The sampling settings in a model's generation_config; what it leaves open is as usual. Raises ModelError when one cannot be."""
    greedy = getattr(generation, "do_sample", None) is False and getattr(generation, "max_new_tokens", None) is not None
    settings = {each.name: getattr(generation, each.name, None) for each in fields(SamplingConfig)}
    try:
        return SamplingConfig().changed(**(settings | ({"temperature": 0.0} if greedy else {})))
    except ConfigError as error:
        problem = " ".join(str(error).split())[:200].rstrip(".")
        raise ModelError(f"{folder}: its generation_config.json is damaged ({problem}). {DOWNLOAD_AGAIN}") from error


def cut_at_other_speaker(text: str, speakers: set[str]) -> tuple[str, bool]:
    """The text before a line that begins with a speaker's name and a colon, and whether there is such a line."""
    names = "|".join(re.escape(name) for name in sorted(speakers, key=len, reverse=True))
    found = re.search(rf"\n\s*(?:{names})\s*[:：]", text) if names else None
    return (text[: found.start()], True) if found else (text, False)


def settled(text: str) -> str:
    """The part of a growing text that no later token changes: whole characters, and whole lines or a line's safe start."""
    text = text.rstrip("\ufffd")
    head, newline, line = text.rpartition("\n")
    if newline and len(line) < 40 and ":" not in line and "：" not in line:
        text = head
    return text.rstrip()
