"""What is said: prompts, contexts, splitting, tokens."""
