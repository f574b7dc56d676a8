"""The check: from the request, through cache and registry, to a decision."""
