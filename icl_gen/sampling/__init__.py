"""Generation: completions of many prompts after one shared context."""
