"""Types and rules for every layer: errors, money, text, times and pages. No network, no database."""
