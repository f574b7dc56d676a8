"""Saves the record of a deployment to a folder, and loads the record from there."""
