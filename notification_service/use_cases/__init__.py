"""What changes: one module per use case."""
