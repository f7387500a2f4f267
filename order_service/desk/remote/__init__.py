"""Pages that show data of other services: products and accounts."""
