"""The processes of a server, and their supervisor."""
