"""The journal: names every row that the service writes, so that other rows are found."""
