"""Models on disk, in the ecosystem's own format: read strictly, written atomically."""
