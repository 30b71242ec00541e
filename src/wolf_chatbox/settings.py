"""What a setting is: how it is declared, checked, typed and described.

A setting is a field of a dataclass in `config`: its annotation says which values are allowed, its docstring is the
help text. Everything else (flags, YAML, the classic command line, the reference) follows from that.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass
from inspect import Parameter as Argument
from numbers import Integral, Real
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

from cyclopts import App, Group, Parameter, Token

from wolf_chatbox.errors import ConfigError

Kind = TypeVar("Kind")

DATA, MODEL, LEARNING, MEMORY, PLAYERS, TABLE, SAVING, MEASURING, JUDGING, REPLIES, ENGINE, SERVER, LIMITS = (
    Parameter(group=Group(name, sort_key=at))
    for at, name in enumerate(
        (
            "Data",
            "Model",
            "Learning",
            "Memory and speed",
            "Players",
            "Table",
            "Saving and reporting",
            "Measuring",
            "Judging",
            "Replies",
            "Engine",
            "Server",
            "Limits",
        )
    )
)
"""The groups of settings in `train --help`."""


def _whole(type_: object, tokens: Sequence[Token]) -> int:
    try:
        return int(tokens[0].value)
    except ValueError:
        raise ValueError(f"{tokens[0].value} is not a whole number.") from None


Whole = Annotated[int, Parameter(converter=_whole)]
"""A whole number; cyclopts alone would read 2.5 as 2."""


@dataclass(frozen=True)
class Within:
    """The range of a number: `least` and `most` are included, `above` and `below` are not."""

    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None
    why: str = ""

    def __contains__(self, value: Any) -> bool:
        return bool(  # written so that NaN is outside
            -math.inf < value < math.inf
            and (self.least is None or value >= self.least)
            and (self.most is None or value <= self.most)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        )

    def __str__(self) -> str:
        if self.least is not None and self.most is not None:
            return f"from {self.least} to {self.most}"
        bounds = (
            (self.least, "{} or more"),
            (self.above, "above {}"),
            (self.most, "at most {}"),
            (self.below, "below {}"),
        )
        return " and ".join(text.format(bound) for bound, text in bounds if bound is not None)


AT_LEAST_0, AT_LEAST_1 = Within(least=0), Within(least=1)


def unset(meaning: str) -> Parameter:
    """What a setting without a value (None) means, as the help shows it."""
    return Parameter(show_default=lambda _: meaning)


class Setting(NamedTuple):
    """A setting as it is declared; `default` is `inspect.Parameter.empty` where a value is required."""

    name: str
    flags: tuple[str, ...]
    positional: bool
    """Whether it may be given by its place, without a flag."""
    annotation: Any
    """As `inspect.signature` takes it: with its group and its help text."""
    default: Any
    help: str
    groups: tuple[Group, ...]

    @property
    def shown_default(self) -> str:
        """The default as the help shows it; empty where it shows none."""
        if self.default is Argument.empty:
            return ""
        shows = [part.show_default for part in _parts(self.annotation) if isinstance(part, Parameter)]
        meanings = [show(self.default) for show in shows if callable(show)]
        return meanings[-1] if meanings else typed(self.default) or ""

    @property
    def choices(self) -> tuple[Any, ...]:
        """The allowed words; empty where any value of the type is allowed."""
        return next((get_args(part) for part in _parts(self.annotation) if get_origin(part) is Literal), ())

    @property
    def shows_choices(self) -> bool:
        """Whether the help lists the allowed words: not where they are many."""
        parts = (part for part in _parts(self.annotation) if isinstance(part, Parameter))
        return bool(self.choices) and not any(part.show_choices is False for part in parts)

    @property
    def range(self) -> Within:
        """The range of a number; one without bounds where none is declared."""
        return next((part for part in _parts(self.annotation) if isinstance(part, Within)), Within())

    @property
    def whole(self) -> bool:
        """Whether it is a whole number."""
        return int in _parts(self.annotation)


def kind_of(setting: Setting) -> type:
    """What a setting's value is: bool, int, float, or str for everything else."""
    return next((part for part in _parts(setting.annotation) if part in (bool, int, float)), str)


def range_of(setting: Setting) -> Within | None:
    """The range of a number; None where any is allowed."""
    return next((part for part in _parts(setting.annotation) if isinstance(part, Within)), None)


def declared(kind: type) -> dict[str, Setting]:
    """The settings of a dataclass by name, those of nested dataclasses among them, in the order of declaration."""

    def verb(config: Any) -> None: ...

    verb.__annotations__["config"] = kind
    return described(App(default_command=verb))


def described(app: App) -> dict[str, Setting]:
    """The settings of a verb by name, in the order of declaration."""
    found = {}
    for argument in app.assemble_argument_collection(default_parameter=Parameter(negative=()), parse_docstring=True):
        if not argument.children:
            info, help_ = argument.field_info, " ".join((argument.parameter.help or "").split())
            groups: Any = argument.parameter.group
            annotation = annotated(info.annotation, Parameter(group=groups, help=help_))
            place = argument.index is not None
            found[info.name] = Setting(info.name, argument.names, place, annotation, info.default, help_, groups)
    return found


def annotated(hint: Any, *more: Any) -> Any:
    """A type hint with more metadata."""
    return Annotated[(hint, *more)]


def optional(kind: type, meaning: str) -> Callable[[type[Kind]], type[Kind]]:
    """A class decorator that adds the settings of `kind`, all None by default; the help says what that means."""

    def add(cls: type[Kind]) -> type[Kind]:
        for name, setting in declared(kind).items():
            more = Parameter(group=setting.groups, help=setting.help)
            cls.__annotations__[name] = annotated(setting.annotation | None, more, unset(meaning))
            setattr(cls, name, None)
        return cls

    return add


def build(kind: type[Kind], settings: Mapping[str, Any]) -> Kind:
    """A config from flat settings: those of nested dataclasses go where they belong; TypeError for an unknown name."""
    rest = dict(settings)
    parts: dict[str, Any] = {name: part for name, part in _hints(kind).items() if is_dataclass(part)}
    nested = {
        name: part(**{field.name: rest.pop(field.name) for field in fields(part) if field.name in rest})
        for name, part in parts.items()
        if name not in rest
    }
    return kind(**rest, **nested)


def flat(config: Any) -> dict[str, Any]:
    """The inverse of `build`: the settings of a config by name, those of nested dataclasses beside the others."""
    return flattened(asdict(config))


def flattened(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as a run records them, without the nesting."""
    together: dict[str, Any] = {}
    for name, value in settings.items():
        together |= value if isinstance(value, dict) else {name: value}
    return together


def typed(value: Any) -> str | None:
    """A setting's value as a person would type it: 1e-4 for 0.0001; None where nothing is typed."""
    if value is None or value is False or value == ():
        return None
    if isinstance(value, tuple | list):
        return " ".join(map(str, value))
    if not isinstance(value, float):
        return str(value)
    if value and not 1e-3 <= abs(value) < 1e6:
        digits, _, exponent = f"{value:.6e}".partition("e")
        return f"{float(digits):g}e{int(exponent)}"
    return f"{value:g}"


def check(config: Any) -> None:
    """Raise ConfigError for the first setting whose value its annotation does not allow.

    A file or a program may give anything. Lists of words become tuples, and paths Path; one word is a list of one.
    """
    for name, hint in _hints(type(config)).items():
        value, parts = getattr(config, name), _parts(hint)
        if value is None and type(None) in parts:
            continue
        if any(get_origin(part) is tuple for part in parts):
            value = _words(name, value)
            object.__setattr__(config, name, value)
        elif Path in parts:
            object.__setattr__(config, name, Path(value))
        choices = next((get_args(part) for part in parts if get_origin(part) is Literal), ())
        for word in value if isinstance(value, tuple) else (value,):
            if choices and word not in choices:
                raise ConfigError(name, word, f"must be one of {', '.join(choices)}.")
        if int in parts or float in parts:
            _check_number(name, value, whole=int in parts, ranges=[part for part in parts if isinstance(part, Within)])


def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _parts(hint: Any) -> list[Any]:
    """Everything that an annotation consists of: its types, without the wrappers, and its metadata."""
    if get_origin(hint) is Annotated:
        return [part for inner in (hint.__origin__, *hint.__metadata__) for part in _parts(inner)]
    if get_origin(hint) in (Union, UnionType):
        return [part for inner in get_args(hint) for part in _parts(inner)]
    if get_origin(hint) is tuple:
        return [hint, *(part for inner in get_args(hint) for part in _parts(inner))]
    return [hint]


def _words(name: str, value: Any) -> tuple[str, ...]:
    words = (value,) if isinstance(value, str) else value
    if not isinstance(words, list | tuple) or not all(isinstance(word, str) for word in words):
        raise ConfigError(name, value, "must be a list of words.")
    return tuple(words)


def _check_number(name: str, value: Any, *, whole: bool, ranges: Sequence[Within]) -> None:
    if not isinstance(value, Integral if whole else Real) or isinstance(value, bool):
        raise ConfigError(name, value, f"must be a {'whole ' if whole else ''}number.")
    for range_ in ranges:
        if value not in range_:
            raise ConfigError(name, value, f"must be {range_}{range_.why and f': {range_.why}'}.")
