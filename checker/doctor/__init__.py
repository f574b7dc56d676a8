"""Examines a deployment: its machine, its stores and its list, and how each fault is mended."""
