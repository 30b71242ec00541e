"""wolf_chatbox: fine-tune a dialogue model on your own conversations, and chat with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wolf_chatbox.config import ChatConfig, CleanConfig, ReadConfig, SamplingConfig, TrainConfig
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.data.cleaning import clean
from wolf_chatbox.errors import WolfChatboxError
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.talk.session import ChatSession

if TYPE_CHECKING:
    from wolf_chatbox.training.loop import train

__all__ = [
    "ChatConfig",
    "ChatSession",
    "CleanConfig",
    "Conversation",
    "ReadConfig",
    "SamplingConfig",
    "TrainConfig",
    "Turn",
    "WolfChatboxError",
    "clean",
    "read_conversations",
    "train",
]


def __getattr__(name: str) -> Any:
    if name != "train":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from wolf_chatbox.training.loop import train  # it loads torch, which takes seconds

    return train
