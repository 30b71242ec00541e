"""Scripts and subtitles: one file a format."""
