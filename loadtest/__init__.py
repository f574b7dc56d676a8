"""Populations, baselines and load; knows the contract alone."""
