"""A language model: found, loaded, adapted, measured, and asked for a reply."""
