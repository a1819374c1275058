"""From rows to batches: order, cuts, packing, prefetch, and the loader that joins them."""
