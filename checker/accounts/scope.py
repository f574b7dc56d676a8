"""The scope of an account or a key: services, a place, items, networks, and courts.

A key's scope narrows the scope of its account. A key that is given a wider scope is refused. An
account may be narrowed after its keys were made, so the node computes the scope that holds from
both whenever the node reads its keys.
"""

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final, TypeAlias

import msgspec

from cache.counting.quota import MINUTE, Limit, Window
from checker.domain.court import court_form
from checker.domain.jurisdiction import Jurisdiction, path
from checker.domain.service import ServiceType
from checker.errors import Fault, InvalidRequest

ITEMS_MAX: Final = 2**31 - 1
"""The largest `integer` of PostgreSQL. No account reaches a limit of that size."""

NETWORKS_MAX: Final = 64
"""An institution has fewer offices and clouds, and every call is compared with all networks."""

COURTS_MAX: Final = 1_000
"""A high court speaks for all courts of a province, some 200."""

COURT_LENGTH_MAX: Final = 200

DAY: Final = Window(name="day", length_s=24 * 3600, offset_s=8 * 3600)
"""A day in Asia/Shanghai, like all days here."""

SLOWED: Final = Window(name="slowed", length_s=60)
"""A minute of an account that seems to fish."""

Network: TypeAlias = IPv4Network | IPv6Network

_NOT_CIDR = "must be a network in CIDR form without host bits, such as 198.51.100.0/24"
_MAPPED: Final = IPv6Network("::ffff:0:0/96")


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """The bounds of a key.

    `services` None: all types. `jurisdiction` is the place of a check that names no place; None:
    CN. Items of 0: no limit.
    """

    services: frozenset[ServiceType] | None = None
    jurisdiction: Jurisdiction | None = None
    items_per_minute: int = 0
    items_per_day: int = 0

    def within(self, account: "Scope") -> "Scope":
        """Return the part of a key's scope that lies in the scope of its account.

        The items are the key's own. The items of the account are counted beside them, over all
        keys of the account.
        """
        return Scope(
            services=_both(self.services, account.services),
            jurisdiction=_narrower(self.jurisdiction, account.jurisdiction),
            items_per_minute=self.items_per_minute,
            items_per_day=self.items_per_day,
        )

    def beyond(self, account: "Scope") -> Sequence[Fault]:
        """Return a fault for each field in which a key's scope is wider than its account's."""
        faults = []
        if self.services is not None and _both(self.services, account.services) != self.services:
            faults.append(Fault("/services", "holds a service that the account's scope does not"))
        if _narrower(self.jurisdiction, account.jurisdiction) != (
            self.jurisdiction or account.jurisdiction
        ):
            faults.append(Fault("/jurisdiction", "lies outside of the account's"))
        for field in ("items_per_minute", "items_per_day"):
            own, bound = getattr(self, field), getattr(account, field)
            if bound and own > bound:
                faults.append(Fault(f"/{field}", "is more than the account's"))
        return faults


class AccountScope(Scope, frozen=True, kw_only=True):
    """The widest bounds that the keys of an account may have.

    `networks` are the networks from which the account may call; None: from any address. `courts`
    are the courts for which a court's account speaks; None: for the whole list.
    """

    networks: tuple[Network, ...] | None = None
    courts: tuple[str, ...] | None = None


def columns_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return some fields of a scope as columns; sets and networks become lists of texts."""
    columns = dict(fields)
    if columns.get("services") is not None:
        columns["services"] = sorted(columns["services"])
    if columns.get("networks") is not None:
        columns["networks"] = [str(network) for network in columns["networks"]]
    if columns.get("courts") is not None:
        columns["courts"] = list(columns["courts"])
    return columns


def scope_of(row: Any) -> Scope:
    """Return a key's own scope, from its row."""
    return Scope(
        services=services_of(row.services),
        jurisdiction=jurisdiction_of(row.jurisdiction),
        items_per_minute=row.items_per_minute,
        items_per_day=row.items_per_day,
    )


def account_scope_of(row: Any, prefix: str = "") -> AccountScope:
    """Return an account's scope, from a row whose columns have names with this prefix."""
    fields = {name: getattr(row, prefix + name) for name in AccountScope.__struct_fields__}
    networks = fields["networks"]
    return AccountScope(
        services=services_of(fields["services"]),
        jurisdiction=jurisdiction_of(fields["jurisdiction"]),
        items_per_minute=fields["items_per_minute"],
        items_per_day=fields["items_per_day"],
        networks=None if networks is None else tuple(map(ip_network, networks)),
        courts=None if fields["courts"] is None else tuple(fields["courts"]),
    )


def services_of(names: Sequence[str] | None) -> frozenset[ServiceType] | None:
    """Return the services of a row; None: all."""
    return None if names is None else frozenset(ServiceType(name) for name in names)


def jurisdiction_of(code: str | None) -> Jurisdiction | None:
    """Return the place of a row."""
    return None if code is None else Jurisdiction(code)


def limits_of(key_pk: int, key: Scope, account_id: str, account: Scope) -> tuple[Limit, ...]:
    """Return the limits on the items of a key: its own limits, and those of its account.

    Shorter windows come first. Without any limit the tuple is empty.
    """
    holders = ((f"key:{key_pk}", key), (f"account:{account_id}", account))
    limits = [
        *(Limit(name=name, items=each.items_per_minute, window=MINUTE) for name, each in holders),
        *(Limit(name=name, items=each.items_per_day, window=DAY) for name, each in holders),
    ]
    return tuple(limit for limit in limits if limit.items)


def slowed_limit(account_id: str, items_per_minute: int) -> Limit:
    """Return the limit of an account that seems to fish."""
    return Limit(name=f"account:{account_id}", items=items_per_minute, window=SLOWED)


def kind_of(account: Scope) -> str:
    """Return the name of an account's kind: all accounts that sell the same services."""
    return "any" if account.services is None else ",".join(sorted(account.services))


def read_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Read networks in CIDR form, in their order; a network that stands twice is kept once.

    Raises:
        InvalidRequest: with a fault for each text that is no network, or for too many networks.
    """
    networks: dict[Network, None] = {}
    faults = []
    for place, text in enumerate(texts):
        network = _network(text)
        if network is None:
            faults.append(Fault(f"/networks/{place}", _NOT_CIDR))
        else:
            networks[network] = None
    if len(networks) > NETWORKS_MAX:
        faults.append(Fault("/networks", f"has more than {NETWORKS_MAX} networks"))
    if faults:
        raise InvalidRequest("a field is not as it must be", faults)
    return tuple(networks)


def read_courts(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the names of courts, in their order; a court that is named twice is kept once.

    Raises:
        InvalidRequest: a name is blank, too long or cannot be printed; or there are none, or too
            many names.
    """
    courts: dict[str, str] = {}
    faults = []
    for place, text in enumerate(texts):
        name = text.strip()
        if court_form(name) and name.isprintable() and len(name) <= COURT_LENGTH_MAX:
            courts.setdefault(court_form(name), name)
        else:
            faults.append(Fault(f"/courts/{place}", "is not the name of a court"))
    if not 0 < len(courts) <= COURTS_MAX and not faults:
        faults.append(Fault("/courts", f"must have 1 to {COURTS_MAX} courts"))
    if faults:
        raise InvalidRequest("a field is not as it must be", faults)
    return tuple(courts.values())


def read_address(text: str) -> IPv4Address | IPv6Address | None:
    """Return an address, an IPv4 address in IPv6 form as IPv4; None: the text is no address."""
    try:
        address: IPv4Address | IPv6Address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def is_within(address: str, networks: Iterable[Network]) -> bool:
    """Whether an address lies in one of the networks; an unknown address lies in none."""
    known = read_address(address)
    return known is not None and any(known in network for network in networks)


def _network(text: str) -> Network | None:
    # The standard library also reads netmasks and zones, which CIDR does not have.
    _, slash, length = text.partition("/")
    if "%" in text or (slash and not length.isdigit()):
        return None
    try:
        network: Network = ip_network(text)
    except ValueError:
        return None
    # A caller with such an address counts as IPv4, so this network would hold nobody.
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        return None
    return network


def _both(
    key: frozenset[ServiceType] | None, account: frozenset[ServiceType] | None
) -> frozenset[ServiceType] | None:
    if key is None or account is None:
        return account if key is None else key
    return key & account


def _narrower(key: Jurisdiction | None, account: Jurisdiction | None) -> Jurisdiction | None:
    if key is None or account is None:
        return account if key is None else key
    return key if account in path(key) else account
