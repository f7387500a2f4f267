"""A shop of three months, written straight into the stores: no load could place so many orders in minutes.

`story.py` has what happened: which products, customers and orders there are. The other modules write it as the services would
have. `make seed-large` and the benchmarks share them.
"""
