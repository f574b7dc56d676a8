"""The callers: accounts, their keys and the scope of each key."""
