"""Public data sets, fetched with checksums, and corpora made of them."""
