"""Text: families of statements, prompts, contexts, retrieval and tokens."""
