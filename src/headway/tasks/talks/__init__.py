"""Dialogues.

columns.py   rows of dialogues, and what is said in each     reading.py   how models read them
"""
