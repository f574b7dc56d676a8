"""Reconciliation: which past sales the list of their time would have refused."""
