"""Judging: two replies side by side, asked of people and of other models, and what their votes say."""
