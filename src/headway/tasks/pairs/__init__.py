"""Two texts that are read each for itself.

vectors.py   what a model's vectors say of them     scores.py   how well that agrees with people
"""
