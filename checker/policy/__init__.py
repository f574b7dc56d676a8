"""The measures as data, a TOML file for each legal document, and the settings per jurisdiction.

All files are checked at the start, so that a misspelt word stops the start and never silently
weakens a check.
"""
