"""The catalogue: products, their prices and their stock.

Owns: products, stock_movements (MongoDB). Publishes: product-created, product-updated, product-deleted. Consumes: nothing.
Read on in app.py (wiring), api/routes.py (what it answers), use_cases.py (what happens).
"""

__version__ = "0.1.0"
