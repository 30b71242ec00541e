"""The formats by family: one file a format, whose name is the file's."""
