"""Notices: institutions are notified when a restriction ends about which they were told."""
