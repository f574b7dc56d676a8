"""Sheets of people on the desk: uploaded, confirmed, checked, and returned."""
