"""The journal: which rows were written by the service, so that others are found."""
