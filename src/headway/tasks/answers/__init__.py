"""Answers that stand in a text.

columns.py   questions, contexts and answers in columns     truth.py   where answers really stand
passages.py  windows over a question and its context        spans.py   from starts and ends
scores.py    SQuAD's measures
"""
