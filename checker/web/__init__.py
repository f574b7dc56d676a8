"""Pages for people: the clerk, the operator, and everybody who wants to know about themselves."""
