"""What the commands share.

group.py     commands found by name        failures.py  what ends a command, and its exit code
options.py   options of several commands   output.py    stdout and stderr
texts.py     the texts that were given     tokens.py    a text cut into tokens
runs.py      what a run measured           card.py      what a data set looks like
trained.py   a tokenizer that was trained  comparison.py  two runs side by side
"""
