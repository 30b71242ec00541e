"""The contest's protocol, both sides."""
