"""The service layer: everything the product does, independent of what triggers it."""
