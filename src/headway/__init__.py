"""Headway: transfer learning for language, whole, in one package."""

__version__ = "0.1.0"
