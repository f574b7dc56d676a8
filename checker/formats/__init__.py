"""The formats of the lines of a feed: what one line says, in the words of the registry."""
