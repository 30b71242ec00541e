"""Chat exports: one file a format."""
