"""The service while its servers and its processes are killed, frozen and emptied."""
