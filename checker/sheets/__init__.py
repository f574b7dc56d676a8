"""Sheets of people: reading, columns, rows as checks, and the same sheet with its answers."""
