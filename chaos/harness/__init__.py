"""What the fault tests stand on: a shop of their own, the faults, the record of what clients saw, and the checks."""
