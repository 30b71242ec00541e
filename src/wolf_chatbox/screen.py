"""The console of every command: it styles our own text; control characters in other text are shown, never obeyed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.status import Status
from rich.text import Text

from wolf_chatbox.visible import behind, visible


def painted(*parts: tuple[str, str]) -> Text:
    """A text made of parts, each with its style."""
    return Text.assemble(*((visible(text), style) for text, style in parts))


class Screen(Console):
    """A rich console without markup, emoji codes and links; control characters in a text are shown (`visible`).

    Rich keeps text and its own control codes apart until both are written: here the text is made visible, in one place
    for strings, tables, bars and everything else that rich renders.
    """

    def __init__(self, *, stderr: bool = False, quiet: bool = False, **settings: Any) -> None:
        super().__init__(stderr=stderr, quiet=quiet, markup=False, emoji=False, highlight=False, **settings)

    @property
    def file(self) -> IO[str]:
        """The stream for control codes too: not the visible one, which rich's redirection would find behind its own."""
        stream: IO[str] = behind(super().file)
        return stream

    @file.setter
    def file(self, new_file: IO[str]) -> None:
        self._file = new_file

    def say(self, text: str, style: str = "") -> None:
        """Print lines: unbroken in a log, wrapped between words on a terminal."""
        self.print(text, style=style, soft_wrap=not self.is_terminal)

    def status(self, status: RenderableType, **settings: Any) -> Status:
        return super().status(self.render_str(status) if isinstance(status, str) else status, **settings)

    def render_str(self, text: str, **settings: Any) -> Text:
        return super().render_str(visible(text), **settings)  # here too, as it is also measured

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for text, style, control in super().render(renderable, options):
            unlinked = style.update_link(None) if style is not None and style.link else style
            yield Segment(text if control else visible(text), unlinked, control)
