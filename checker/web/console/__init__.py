"""The console: operators see what is wrong and act; auditors see the same and change nothing."""
