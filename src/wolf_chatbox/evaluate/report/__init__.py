"""Reports of an evaluation: a table for the terminal, a page, JSON, the model card; all made of its JSON form."""
