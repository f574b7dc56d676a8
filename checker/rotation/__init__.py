"""Replaces the encryption key of a deployment while the deployment runs."""
