"""The tags that words can have, and the entities they make.

entities.py   labelled spans of characters       word_places.py  which token speaks for a word
truth.py      what rows say is true              paths.py        the likeliest tags of words
tables.py     entities that may lie in each other  scores.py     how right tags and entities are
"""
