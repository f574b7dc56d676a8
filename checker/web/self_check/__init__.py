"""Self-check: everybody may see the courts' list of themselves, correct it, and read the law."""
