"""Characters that are being made: their files and settings, the queue, and the process that trains."""
