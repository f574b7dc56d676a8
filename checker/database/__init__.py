"""Connections to PostgreSQL, their faults, locks and leads, and the upgrade of the schema."""
