"""The check: from who and what is asked, through cache and registry, to a decision."""
