"""What others read: data cards, hub folders, lm-eval tasks, TFDS builders."""
