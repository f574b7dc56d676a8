"""Puts one process together: its settings, its stores, its parts, and their works."""
