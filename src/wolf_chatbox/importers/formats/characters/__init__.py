"""Chats with a character, and its card: one file a format."""
