"""Reading documents piece by piece, and keeping what does not fit into the memory."""
