"""Removal of personal data whose time is over."""
