"""Counts that the nodes of a deployment share: quotas and tallies."""
