"""Corpora and training sets: one file a format."""
