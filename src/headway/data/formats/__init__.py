"""One file per way of writing rows down; each reader turns one path into one Arrow table."""
