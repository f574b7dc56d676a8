"""Tells whoever was told of a restriction that it has ended."""
