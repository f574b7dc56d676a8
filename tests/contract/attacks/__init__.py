"""Attacks of schemathesis on a server, by requests that it draws from the OpenAPI document."""
