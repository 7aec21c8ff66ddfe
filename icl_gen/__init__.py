"""In-context learning against finetuning: a controlled study with Gemma."""
