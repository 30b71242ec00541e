"""Who is what: what was seen and heard, what a line says, and the sum over all that is possible."""
