"""The pages, one file or folder each; `add(desk)` makes a page known."""
