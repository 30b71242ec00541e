"""Styles: how a turn becomes text. A style says what stands before and after the words of a turn.

dialogpt  `Hi.<|endoftext|>Hello.<|endoftext|>`: turns joined by the end token. The form of DialoGPT (Zhang et al. 2020,
          https://arxiv.org/abs/1911.00536). It has no names, so two sides take turns.
named     `Rick: Hi.<|endoftext|>Morty: Hello.<|endoftext|>`: any number of speakers, each by name.
chat      the base model's own chat template: the persona is the assistant, everybody else is the user.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from wolf_chatbox.errors import ModelError, StyleError
from wolf_chatbox.samples.templates import OWN, render

if TYPE_CHECKING:
    from wolf_chatbox.samples.tokenizer import Tokenizer

SYSTEM = "system"
USER = "user"
ASSISTANT = "assistant"
ROLES = frozenset({USER, ASSISTANT, SYSTEM})
SIDES = frozenset({"A", "B"})
NAME = "(message['name'] if message['name'] is defined and message['name'] is string else '')"
"""The name of a message's speaker in a template; empty where it has none."""
WORDS = "message['content']"


@dataclass(frozen=True)
class Marks:
    """The text around the words of one turn: the template's marks, and the speaker's label, which is plain text."""

    before: str = ""
    label: str = ""
    after: str = ""


class Style(Protocol):
    """Maps a speaker to the marks around its words."""

    @property
    def name(self) -> str: ...

    @property
    def start(self) -> str:
        """The text at the start of a conversation whose first turn is not a system turn."""
        ...

    def marks(self, speaker: str) -> Marks: ...

    def template(self) -> str:
        """The Jinja chat template that renders the same text from messages with role, content and, optionally, name."""
        ...


@dataclass(frozen=True)
class DialoGPT:
    end: str
    name: str = "dialogpt"
    start: str = ""

    def marks(self, speaker: str) -> Marks:
        return Marks(after=self.end)

    def template(self) -> str:
        return "{% for message in messages %}{{ message['content'] + eos_token }}{% endfor %}"


@dataclass(frozen=True)
class Named:
    end: str
    persona: str
    user: str
    name: str = "named"
    start: str = ""

    def marks(self, speaker: str) -> Marks:
        return Marks(label=f"{speaker}:", after=self.end)

    def template(self) -> str:
        persona, user = _jinja_string(self.persona), _jinja_string(self.user)
        return (
            "{% for message in messages %}"
            f"{{% set speaker = {NAME} or ({persona} if message['role'] == 'assistant' "
            f"else {user} if message['role'] == 'user' else message['role']) %}}"
            "{{ speaker + ': ' + message['content'] + eos_token }}"
            "{% endfor %}"
            f"{{% if add_generation_prompt %}}{{{{ {persona} + ':' }}}}{{% endif %}}"
        )


@dataclass(frozen=True)
class Chat:
    """The marks of a base model's chat template, found by rendering placeholders with it."""

    persona: str
    user: Marks
    assistant: Marks
    system: Marks | None
    start: str
    others_are_named: bool
    """With more than two speakers, the user's text begins with the name of who speaks."""
    source: str = field(repr=False)
    partner: str = USER
    """Who speaks where a user's message has no name."""
    name: str = "chat"

    def marks(self, speaker: str) -> Marks:
        if speaker == self.persona:
            return self.assistant
        if speaker == SYSTEM and self.system is not None:
            return self.system
        if self.others_are_named:
            return Marks(self.user.before, f"{speaker}:", self.user.after)
        return self.user

    def template(self) -> str:
        """One of our own: that of the base model knows no names, and may trim texts or refuse an order of speakers."""
        label = ""
        if self.others_are_named:  # an empty name asks for the marks alone, when this template is taken apart again
            own = f"('{SYSTEM}' if message['role'] == '{SYSTEM}' else {_jinja_string(self.partner)})"
            speaker = f"({NAME} or {own})"
            label = f"('' if message['name'] is defined and message['name'] == '' else {speaker} + ': ') + "
        persona = f"({NAME} or (message['role'] == 'assistant')) in [true, {_jinja_string(self.persona)}]"
        cases = [f"{{% if {persona} %}}{_around(WORDS, self.assistant)}"]
        if self.system is not None:
            cases.append(f"{{% elif message['role'] == '{SYSTEM}' %}}{_around(WORDS, self.system)}")
        else:  # who takes it apart again is told that it has none
            asked = f"message['role'] == '{SYSTEM}' and message['name'] is defined and message['name'] == ''"
            cases.append(f"{{% elif {asked} %}}{{{{ raise_exception('no system turns') }}}}")
        cases.append(f"{{% else %}}{_around(label + WORDS, self.user)}{{% endif %}}")
        begins = "not messages or messages[0]['role'] != 'system'"
        return (
            f"{OWN}{{% if {begins} %}}{{{{ {_jinja_string(self.start)} }}}}{{% endif %}}"
            f"{{% for message in messages %}}{''.join(cases)}{{% endfor %}}"
            f"{{% if add_generation_prompt %}}{{{{ {_jinja_string(self.assistant.before)} }}}}{{% endif %}}"
        )

    @classmethod
    def of(cls, tokenizer: Tokenizer, persona: str, others: Collection[str], partner: str = USER) -> Chat:
        """Read the marks from a tokenizer's chat template.

        Raises StyleError when there is no template, when it fails, or when it does not render turn by turn.
        """
        source = tokenizer.chat_template
        if not isinstance(source, str):
            raise StyleError("chat", "the base model has no chat template", "Use --style named or dialogpt.")
        one, two, three, four = (f"\ue000{number}\ue001" for number in range(4))
        talk = ((USER, one), (ASSISTANT, two), (USER, three), (ASSISTANT, four))
        tokens = tuple((name, str(token)) for name, token in tokenizer.special_tokens_map.items())
        try:
            *rendered, instructed = render(source, tokens, talk, talk[:1], talk[:2], ((SYSTEM, one), (USER, two)))
            whole, to_user, to_assistant = map(_text, rendered)
        except ValueError as error:
            problem = f"the base model's chat template fails ({error})"
            raise StyleError("chat", problem, "Use --style named.") from error
        after_user, after_assistant = to_user.partition(one)[2], to_assistant.partition(two)[2]
        before_one, _, rest = whole.partition(one)
        between_user, _, rest = rest.partition(two)
        between_assistant, _, rest = rest.partition(three)
        if between_user.startswith(after_user) and between_assistant.startswith(after_assistant):
            user = Marks(between_assistant.removeprefix(after_assistant), "", after_user)
            assistant = Marks(between_user.removeprefix(after_user), "", after_assistant)
            start = before_one.removesuffix(user.before)
            if rest == f"{between_user}{four}{after_assistant}" and before_one.endswith(user.before):
                # A template that has no system role says so by raising.
                system = None if isinstance(instructed, ValueError) else _system_marks(instructed, one, two, user)
                named = len(set(others) - {SYSTEM}) > 1
                return cls(persona, user, assistant, system, start, named, source, partner)
        raise StyleError("chat", "the base model's chat template does not render turn by turn", "Use --style named.")


def _text(rendered: str | ValueError) -> str:
    if isinstance(rendered, ValueError):
        raise rendered
    return rendered


def _system_marks(rendered: str, one: str, two: str, user: Marks) -> Marks | None:
    """The marks of a first system turn, with the conversation's start; None where the template drops system turns."""
    before, found, after = rendered.partition(one)
    after = after.partition(two)[0]
    return Marks(before, "", after.removesuffix(user.before)) if found and after.endswith(user.before) else None


def _jinja_string(text: str) -> str:
    """A string as Jinja reads it: it would take `\\r\\n` in a template for `\\n`."""
    for plain, escaped in (("\\", "\\\\"), ("'", "\\'"), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(plain, escaped)
    return f"'{text}'"


def _around(words: str, marks: Marks) -> str:
    return f"{{{{ {_jinja_string(marks.before)} + {words} + {_jinja_string(marks.after)} }}}}"


def choose_style(tokenizer: Tokenizer, speakers: Collection[str]) -> tuple[str, str]:
    """The style that suits the base model and the data, and the reason in words."""
    if not set(speakers) <= ROLES and not set(speakers) <= SIDES:
        return "named", "the speakers have names"
    if tokenizer.chat_template:
        return "chat", "two sides talk, and the base model has a chat template"
    return "dialogpt", "two sides talk, and the base model has no chat template"


def find_assistant(persona: str | None, speakers: Collection[str], *, by_view: bool = False) -> str | None:
    """The assistant in the style chat; None where each view has its own. Raises StyleError when there is none."""
    if persona is None and ASSISTANT in speakers:
        return ASSISTANT
    if persona is None and not by_view:
        raise StyleError("chat", "no speaker is the assistant", "Pass --persona NAME, or use --style named.")
    return persona


def make_style(
    tokenizer: Tokenizer,
    name: str,
    persona: str | None,
    user: str,
    speakers: Mapping[str, int] | Collection[str],
) -> Style:
    """The style of that name; `user` is the speaker whose part a person takes in a chat.

    Raises ModelError when the base model has no end token, StyleError when the style does not fit its chat template.
    """
    if name == "chat":
        return Chat.of(tokenizer, persona or ASSISTANT, [speaker for speaker in speakers if speaker != persona], user)
    end = tokenizer.eos_token
    if not end:
        raise ModelError("the base model has no end token, so it cannot learn to stop. Use one that has an eos_token.")
    if name == "dialogpt":
        return DialoGPT(end)
    return Named(end, persona or _most_talkative(speakers, user), user)


def _most_talkative(speakers: Mapping[str, int] | Collection[str], user: str) -> str:
    names = [speaker for speaker in speakers if speaker not in (user, SYSTEM)]
    if isinstance(speakers, Mapping):
        return max(names, key=lambda name: speakers[name], default=ASSISTANT)
    return next(iter(names), ASSISTANT)
