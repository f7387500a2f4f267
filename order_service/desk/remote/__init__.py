"""Pages about what other services keep: products and accounts."""
