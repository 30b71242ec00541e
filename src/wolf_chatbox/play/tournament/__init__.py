"""Many games: who plays which of them, what is kept of each, and what that says of the players."""
