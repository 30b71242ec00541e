"""A seat at the terminal: what a person is told, what it types, and the loop between them."""
