"""Generation: completions of many prompts behind one shared context."""
