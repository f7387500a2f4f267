"""How fast and how large the shop is: `make bench` measures a shop of its own and compares with the aims in README.md."""
