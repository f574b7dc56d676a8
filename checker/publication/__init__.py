"""How the registry is published to the cache, and when every node has the newest list."""
