"""The measures as data, a TOML file for each legal document, and the settings per jurisdiction.

Everything is checked when it is loaded, so that a misspelt word stops the start and can never
silently weaken a check.
"""
