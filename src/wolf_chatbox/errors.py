"""Every error a user can meet.

    WolfChatboxError            one line: what, where, remedy
    ├── ConfigError             a setting is out of its range, or lacks what it needs
    ├── DataError               a file of conversations cannot be read, or holds nothing to learn
    │   └── FormatError         its format cannot be told, or two formats claim it
    ├── ModelError              a base model cannot be found, fetched or used
    ├── StyleError              a way of rendering does not fit the model or the data
    ├── CheckpointError         an output folder cannot be written, resumed or loaded
    ├── TrainingError           the run itself went wrong (a loss that is no number)
    └── ChatError               a message or a command the chat cannot carry out

The library raises these; the command line prints them as `error: …` and exits with 1, or with 2 for a ConfigError.
"""

from __future__ import annotations

from collections.abc import Mapping


class Setting(str):
    """The name of a setting within an error, by its field; each command line prints the flag that it calls it by."""

    def flag(self, flags: Mapping[str, str]) -> str:
        return flags.get(self, "--" + self.replace("_", "-"))


class WolfChatboxError(Exception):
    """The base of all errors that are the user's to mend; its parts make one line: what, where, remedy.

    A part that is a `Setting` stands for a flag: `DataError("script.csv: no column of names. Pass ", Setting("speaker_column"), ".")`.
    """

    def __str__(self) -> str:
        return self.told({})

    def told(self, flags: Mapping[str, str]) -> str:
        """The line as a command line tells it that calls some settings by other `flags`."""
        return "".join(part.flag(flags) if isinstance(part, Setting) else str(part) for part in self.args)


class ConfigError(WolfChatboxError):
    """A setting is out of its range.

    `setting` is the field's name in its dataclass, so that each command line can print the flag it calls it by.
    """

    def __init__(self, setting: str, value: object, problem: str) -> None:
        super().__init__(setting, value, problem)
        self.setting = Setting(setting)
        self.value = value
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.setting} = {self.value}: {self.problem}"

    def told(self, flags: Mapping[str, str]) -> str:
        value = "" if self.value is True else f" {self.value}"
        return f"{self.setting.flag(flags)}{value}: {self.problem}"


class DataError(WolfChatboxError):
    """A file of conversations cannot be read, or holds nothing to learn."""


class FormatError(DataError):
    """The format of a file cannot be told, or two formats claim it."""


class ModelError(WolfChatboxError):
    """A base model cannot be found, fetched or used."""


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
    """The run itself went wrong."""


class ChatError(WolfChatboxError):
    """A message or a command that the chat cannot carry out; the conversation is unchanged."""
