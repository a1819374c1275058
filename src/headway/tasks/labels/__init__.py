"""The labels that a text can have.

columns.py   what a label column holds      kinds.py   one of several, any of several, a number
units.py     numbers in a unit to train in  probe.py   a head that starts from a linear probe
out_of_scope.py   texts that belong to none of the labels
"""
