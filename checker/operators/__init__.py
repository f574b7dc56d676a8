"""The log of operators' actions: every change of how the service is run, with its author."""
