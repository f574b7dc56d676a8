"""Put one process together: its settings, its stores, its parts, and their work."""
