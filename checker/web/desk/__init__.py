"""The desk: the page at which a clerk checks guests."""
