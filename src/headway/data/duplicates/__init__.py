"""Rows that are there twice: the same, or almost the same."""
