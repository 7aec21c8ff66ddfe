"""What is true: worlds of nonsense entities, their facts and the closure."""
