"""Texts found and sorted by the vectors of a model.

passages.py          long texts in passages, with their places
kept_vectors.py      the vectors of passages, made once and mapped from the cache
semantic_search.py   the passages that are nearest to a query
clusters.py          groups of texts that are near each other, and what they are called
"""

from headway.search.clusters import Clustering, cluster
from headway.search.semantic_search import SemanticSearch

__all__ = ["Clustering", "SemanticSearch", "cluster"]
