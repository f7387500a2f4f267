"""What product_service holds for orders: asked again, compared, released."""
