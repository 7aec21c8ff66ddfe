"""The text that the nano Gemmas are pretrained on, and their tokenizer.

Episodes over fresh nonsense words teach the skills that the study expects of a
pretrained language model: to restate, reverse, combine and look up what is in
its context. No word of the evaluation lexicon ever occurs.
"""
