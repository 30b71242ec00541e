"""Conversations made fit to learn from: counted, cleaned, split, under pseudonyms."""
