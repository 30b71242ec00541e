"""Files in, conversations out. One format is one file in one of the folders; see _template.py."""

from wolf_chatbox.importers.files.finding import EXAMPLES, find
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.reading import read_choices, read_conversations
from wolf_chatbox.importers.registry import FORMATS, recognise

__all__ = ["EXAMPLES", "FORMATS", "Format", "find", "read_choices", "read_conversations", "recognise"]
