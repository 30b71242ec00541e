"""Models behind an HTTP API: OpenAI's, and what clients of KoboldAI ask for."""
