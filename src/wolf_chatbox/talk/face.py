"""What a chat's commands speak to: a pipe, or a terminal, which can ask as well."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rich.cells import cell_len, set_cell_size

from wolf_chatbox.talk.listing import one_line
from wolf_chatbox.visible import Tell


class Face:
    """Shows what the program says, line by line; nobody is there to be asked."""

    asks = False
    """Whether `choose` asks somebody."""

    def __init__(self, tell: Tell) -> None:
        self.tell = tell

    def table(self, title: str, rows: Sequence[tuple[str, str]], column: int = 0) -> None:
        """Show rows of a term and a text under a title; the column of the terms has at least this width."""
        width = max([column, *(cell_len(term) for term, _ in rows)])
        self.tell("\n".join([title, *(f"  {set_cell_size(term, width)}  {text}" for term, text in rows)]))

    def show(self, lines: Sequence[str]) -> None:
        """Show lines that begin with a mark and a number."""
        self.tell("\n".join(lines))

    def say(self, speaker: str, text: str) -> None:
        """Show what somebody says who is not in the chat."""
        self.tell(f"{one_line(speaker)}: {text}")

    def edit(self, text: str) -> str | None:
        """A text as somebody has edited it; None where nobody can."""
        return None

    def choose(self, question: str, answers: Collection[str]) -> str | None:
        """One of the answers; None where nobody can be asked."""
        return None
