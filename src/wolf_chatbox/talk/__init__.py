"""A chat with a character, and the terminal around it."""
