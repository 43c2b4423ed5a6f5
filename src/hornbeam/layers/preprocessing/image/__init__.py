"""Layers that transform images, and what belongs to them."""
