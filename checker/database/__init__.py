"""How PostgreSQL is reached, upgraded and, where none is named, had; nothing of what it keeps."""
