"""The measures: one file a subject, each with a function `measures(study)`."""
