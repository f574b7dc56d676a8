"""The processes of a server, and what keeps them alive."""
