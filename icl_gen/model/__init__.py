"""The only room that knows the gemma package."""
