"""A finished game, shown step by step: a file that anybody can open."""
