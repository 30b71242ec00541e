"""Finding files, unpacking and decoding them."""
