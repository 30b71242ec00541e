"""Conversations to token ids: styles, rendering, packing, and what is in the data."""
