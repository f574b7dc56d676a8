"""Receipts: signed statements of what was answered, and the keys that sign them."""
