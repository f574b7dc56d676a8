"""The rows of the table of `make bench`, each of them one question with one ratio or figure."""
