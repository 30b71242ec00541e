"""The errors of this package: everything a user can correct.

    WolfChatboxError            one line: what, where, remedy
    ├── ConfigError             a setting has a wrong value, or lacks something it needs
    ├── DataError               a conversation file cannot be read, or contains nothing to train on
    │   └── FormatError         its format is unknown, or two formats claim it
    ├── ModelError              a base model cannot be found, downloaded or used
    ├── StyleError              a rendering style does not suit the model or the data
    ├── CheckpointError         an output folder cannot be written, resumed or loaded
    ├── TrainingError           training failed (a loss of NaN)
    ├── ChatError               the chat cannot process a message or command
    └── PlayError               a game of werewolf cannot be joined, or was broken off

The library raises them; the command line prints them as `error: …` and exits with 1, or with 2 for a ConfigError.
"""

from __future__ import annotations

from collections.abc import Mapping


class Setting(str):
    """A setting's field name within an error; each command line prints its own flag for it."""

    def flag(self, flags: Mapping[str, str]) -> str:
        return flags.get(self, "--" + self.replace("_", "-"))


class WolfChatboxError(Exception):
    """Base of all errors that the user can correct; its parts make one line: what, where, remedy.

    A `Setting` among the parts becomes a flag: `DataError("a.csv: no names. Pass ", Setting("speaker_column"), ".")`.
    """

    def __str__(self) -> str:
        return self.line({})

    def line(self, flags: Mapping[str, str]) -> str:
        """The line for a command line that has other `flags` for some settings."""
        return "".join(part.flag(flags) if isinstance(part, Setting) else str(part) for part in self.args)


class ConfigError(WolfChatboxError):
    """A setting has a wrong value; `setting` is its field name, `problem` says what is wrong and how to correct it."""

    def __init__(self, setting: str, value: object, problem: str) -> None:
        super().__init__(setting, value, problem)
        self.setting = Setting(setting)
        self.value = value
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.setting} = {self.value}: {self.problem}"

    def line(self, flags: Mapping[str, str]) -> str:
        value = "" if self.value is True else f" {self.value}"
        return f"{self.setting.flag(flags)}{value}: {self.problem}"


class DataError(WolfChatboxError):
    """A conversation file cannot be read, or contains nothing to train on."""


class FormatError(DataError):
    """The format of a file is unknown, or two formats claim it."""


class ModelError(WolfChatboxError):
    """A base model cannot be found, downloaded or used."""


class StyleError(WolfChatboxError):
    """A rendering style does not suit the model or the data; `reason` says why, in a clause of its own."""

    def __init__(self, style: str, reason: str, remedy: str) -> None:
        super().__init__(f"style {style}: {reason}. ", remedy)
        self.style, self.reason, self.remedy = style, reason, remedy

    def __reduce__(self) -> tuple[type[StyleError], tuple[str, str, str]]:
        return type(self), (self.style, self.reason, self.remedy)


class CheckpointError(WolfChatboxError):
    """An output folder cannot be written, resumed or loaded."""


class TrainingError(WolfChatboxError):
    """Training failed."""


class ChatError(WolfChatboxError):
    """The chat cannot process a message or command; the conversation is unchanged."""


class PlayError(WolfChatboxError):
    """A game of werewolf cannot be joined, or was broken off."""
