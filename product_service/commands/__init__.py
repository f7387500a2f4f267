"""The shell: one module per command that is longer than five lines."""
