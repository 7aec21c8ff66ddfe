"""What the model adds: prompts, sampling plans, parsing and the audit."""
