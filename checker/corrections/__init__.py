"""Corrections: who is on the list by mistake says so, and a court rules within days."""
