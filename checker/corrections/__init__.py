"""Corrections: a person who is listed by mistake files one, and a court rules within days."""
