"""The formats of a feed's lines: each turns a line into listings and operations of the registry."""
