"""Types and rules for every layer: errors, money, text, addresses, times, pages. They use no network and no database."""
