"""What a file may be that no format claims, or two."""
