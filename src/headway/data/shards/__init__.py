"""Pipelines over data sets larger than a machine: planned here, written as shards by an engine."""
