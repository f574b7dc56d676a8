"""The audit: kept decisions, reported outcomes, and reports about both."""
