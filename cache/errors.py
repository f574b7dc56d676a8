"""The errors of the cache, split by what the caller can do; knows no HTTP and no driver.

No error ever means "not listed". A caller that cannot ask the registry either must not allow.
"""


class CacheError(Exception):
    """The cache gave no answer. Each subclass below is one reason."""


class CacheUnavailable(CacheError):
    """Redis could not be asked: no connection, no reply in time, command refused, breaker open."""


class CacheIncomplete(CacheError):
    """Redis answered, but its data prove nothing: the registry answers, and a rebuild is due.

    The pointer, a filter segment, a bucket or its sentinel is missing or cut short, or a part does
    not match its checksum. Or the pointer cannot be read, or the generation's tokens are stored
    under a key that is not held.
    """


class CacheUnvouched(CacheIncomplete):
    """The live generation may be whole, but nobody has just seen that it is the newest list.

    Either the publisher is starting, or PostgreSQL or Redis is slow for the publisher. Or the list
    changes faster than it can be read, or a change is half in. A rebuild would not help.
    """


class CacheMisconfigured(CacheUnavailable):
    """This Redis may drop our keys by itself, so no connection to it is used."""


class BuildRejected(CacheError):
    """A generation was not built, or not switched to. The generation that was live is live still.

    Reasons: entries out of order, twice, too long, or not as many as announced; a build that Redis
    did not keep whole; a switch that would bring back an older list.
    """


class ChangeRefused(CacheError):
    """The generation is not at the change's beginning, or is no longer the one that was meant.

    Another publisher has changed, switched or withdrawn the list: read the state again.
    """
