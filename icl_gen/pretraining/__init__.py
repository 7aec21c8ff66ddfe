"""The text that the nano Gemma is pretrained on, and its tokenizer.

Episodes over fresh nonsense words teach what a pretrained language model
brings to the study: to restate, reverse, combine and look up what is in its
context. No word of the evaluation lexicon ever occurs.
"""
