"""Who may not buy what, answered at the point of service."""
