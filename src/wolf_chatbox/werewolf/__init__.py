"""Games of werewolf: what each player knows, what the moderator says, and figures."""
