"""How things are said, as tables in three parts, two of them held out.

The part 'seen' is what the nano Gemmas are pretrained on; no text of
pretraining has a wording of the parts 'development' and 'test'. So a world told
in 'seen' forms asks for a drilled skill about new words, and the same world
told in 'test' forms also asks for it in sentences that the model has never met.
Settings are chosen on 'development', results are reported on 'test'.

The held-out parts use words that pretraining uses too, in other sentences.
Otherwise the model would read pieces that it has never been trained on.
"""
