"""What can go wrong, split by what the caller can do about it; knows no HTTP and no driver.

None of these ever means "not listed". A caller that cannot ask the registry either must not allow.
"""


class CacheError(Exception):
    """The cache gave no answer; which of the kinds below says why."""


class CacheUnavailable(CacheError):
    """Redis could not be asked: no connection, no reply in time, command refused, breaker open."""


class CacheIncomplete(CacheError):
    """Redis was asked and what it holds proves nothing: the registry answers, a rebuild is due.

    The pointer, a filter segment, a bucket or its sentinel is missing or cut short, or a part does
    not match its checksum. Or the pointer cannot be read, or the generation was built with another
    token key.
    """


class CacheUnvouched(CacheIncomplete):
    """The live generation may be whole, but nobody has just seen that it is the newest list.

    The publisher is starting, or PostgreSQL or Redis is slow for it; or the list moves on faster
    than it can be read, or a change is half in. A rebuild would not help.
    """


class CacheMisconfigured(CacheUnavailable):
    """This Redis may drop our keys by itself, so no connection to it is used."""


class BuildRejected(CacheError):
    """A generation was not built or not switched to; what was live before still is.

    Entries out of order, twice, too long or not as many as announced, a build that Redis did not
    keep whole, or a switch that would bring back an older list.
    """


class ChangeRefused(CacheError):
    """A generation does not stand where the change begins, or is no longer the one it is meant for.

    Somebody else has changed, switched or withdrawn it: read the state again.
    """
