"""Recordings and what proves them."""
