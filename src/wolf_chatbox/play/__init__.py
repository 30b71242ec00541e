"""A werewolf table: who moderates, who plays, how they reach each other, and how good they are."""
