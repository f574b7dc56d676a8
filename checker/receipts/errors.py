"""What is wrong with a receipt that somebody shows, or with keys to verify it by."""


class InvalidReceipt(Exception):
    """It is not what was signed, or not by these keys; the text repeats nothing of it."""


class InvalidKeySet(Exception):
    """It is no JWK Set (RFC 7517); the text repeats nothing of it."""
