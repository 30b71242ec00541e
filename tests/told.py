"""A face that keeps what a chat's commands tell, and answers their questions."""

from __future__ import annotations

from collections.abc import Collection

from wolf_chatbox.talk.commands import Commands
from wolf_chatbox.talk.face import Face


class Told(Face):
    """Keeps what is told, and answers questions with what was prepared."""

    asks = True

    def __init__(self, *answers: str) -> None:
        self.lines: list[str] = []
        super().__init__(self.lines.append)
        self.answers = list(answers)

    def choose(self, question: str, answers: Collection[str]) -> str | None:
        self.tell(question)
        answer = self.answers.pop(0)
        assert answer in answers
        return answer


def carry_out(commands: Commands, *lines: str) -> list[str]:
    """The replies to some lines."""
    replies = []
    for line in lines:
        answer = commands.answer(line)
        if answer is not None:
            replies.append("".join(answer.pieces))
    return replies
