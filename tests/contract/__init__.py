"""The service as its callers see it: by HTTP and by the command line alone."""
