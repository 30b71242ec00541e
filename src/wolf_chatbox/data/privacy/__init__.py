"""Protect people: addresses, numbers and names are found and replaced."""
