"""Evaluation: how good a character is, measured on conversations that it did not learn."""
