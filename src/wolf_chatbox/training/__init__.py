"""Fine-tuning, from files to a finished folder; the loop is loop.py."""
