"""The intake of a feed: lines are read, staged and written; rejected lines go to quarantine."""
