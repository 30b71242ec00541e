"""Logs of werewolf games: one file a format, and what they share."""
