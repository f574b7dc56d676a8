"""How a feed is taken in: read, staged, written, and what cannot be read kept aside."""
