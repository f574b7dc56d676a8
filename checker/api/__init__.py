"""HTTP: one module for each resource, problems, and the fast lane."""
