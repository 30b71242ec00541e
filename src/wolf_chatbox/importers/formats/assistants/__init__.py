"""Chats with an assistant: one file a format."""
