"""The record: listings, officers, documents and changes in PostgreSQL, and the feed's formats."""
