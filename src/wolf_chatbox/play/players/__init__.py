"""Players: by chance, by reasoning, by a language model, by a person."""
