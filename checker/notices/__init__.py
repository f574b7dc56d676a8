"""Notices: institutions are notified of the end of restrictions that their answers named."""
