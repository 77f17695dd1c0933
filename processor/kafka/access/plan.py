"""From what is granted to what is wanted: the changes, in an order in which nobody has more than either says."""

from __future__ import annotations

from typing import Literal, NamedTuple

from processor.kafka.access.rights import Access, Grant, Mechanism


class GrantChange(NamedTuple):
    """A right is given or taken."""

    sign: Literal["+", "-"]
    grant: Grant

    @property
    def principal(self) -> str:
        return self.grant.principal

    def in_words(self) -> str:
        return self.grant.in_words()


class UserChange(NamedTuple):
    """A user gets a password (again), or loses it."""

    sign: Literal["+", "-"]
    principal: str
    mechanism: Mechanism

    def in_words(self) -> str:
        return f"a password for {self.mechanism}"


class QuotaChange(NamedTuple):
    """A quota is set (``value``) or removed (None)."""

    principal: str
    key: str
    value: float | None

    @property
    def sign(self) -> Literal["+", "-"]:
        return "-" if self.value is None else "+"

    def in_words(self) -> str:
        return f"quota {self.key}" if self.value is None else f"quota {self.key} = {self.value:g}"


Change = GrantChange | UserChange | QuotaChange


def changes(before: Access, after: Access, *, renew_passwords: bool = False) -> list[Change]:
    """What makes the one the other: quotas are set before rights are given, and rights are taken before all.

    ``renew_passwords`` also sets the password of users that are there: the cluster does not tell whether it differs.
    """
    return [
        *(GrantChange("-", one) for one in sorted(before.grants - after.grants)),
        *_users(before, after, renew_passwords),
        *_quotas(before, after),
        *(GrantChange("+", one) for one in sorted(after.grants - before.grants)),
    ]


def _users(before: Access, after: Access, renew: bool) -> list[Change]:
    had = {(name, mechanism) for name, all_of in before.users.items() for mechanism in all_of}
    wanted = {(name, mechanism) for name, all_of in after.users.items() for mechanism in all_of}
    fresh = wanted if renew else wanted - had
    return [
        *(UserChange("-", name, mechanism) for name, mechanism in sorted(had - wanted)),
        *(UserChange("+", name, mechanism) for name, mechanism in sorted(fresh)),
    ]


def _quotas(before: Access, after: Access) -> list[Change]:
    had = {(name, key): value for name, values in before.quotas.items() for key, value in values.items()}
    wanted = {(name, key): value for name, values in after.quotas.items() for key, value in values.items()}
    return [
        *(QuotaChange(name, key, None) for name, key in sorted(had.keys() - wanted.keys())),
        *(QuotaChange(*place, value) for place, value in sorted(wanted.items()) if had.get(place) != value),
    ]
