"""Errors of verifying a receipt."""


class InvalidReceipt(Exception):
    """The receipt was changed, or not signed by these keys. The text repeats nothing of it."""


class InvalidKeySet(Exception):
    """The content is no JWK Set (RFC 7517). The text repeats nothing of the content."""
