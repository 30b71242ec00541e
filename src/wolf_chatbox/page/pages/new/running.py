"""What is being made now, as home shows it."""

from __future__ import annotations

from wolf_chatbox.page.desk import Desk
from wolf_chatbox.words import Words


def panel(desk: Desk, words: Words) -> None:
    """The trainings that run and those that wait; nothing where there are none."""
