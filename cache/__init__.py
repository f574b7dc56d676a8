"""Tokens, filter, standings and generations on plain Redis; knows nothing of `checker`."""
