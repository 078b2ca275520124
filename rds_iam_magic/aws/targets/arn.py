"""ARNs as targets: of clusters, instances, proxies, their further endpoints, global databases, stacks, secrets."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rds_iam_magic.errors import OptionError, TargetError

_KINDS = {  # by service and what stands behind the account
    ("rds", "cluster:"): "DB cluster",
    ("rds", "db:"): "DB instance",
    ("rds", "db-proxy:"): "proxy",
    ("rds", "db-proxy-endpoint:"): "proxy endpoint",
    ("rds", "cluster-endpoint:"): "custom endpoint",
    ("rds", "global-cluster:"): "global database",
    ("cloudformation", "stack/"): "stack",
    ("secretsmanager", "secret:"): "secret",
}
_ARN = re.compile(
    r"arn:aws[a-z-]*:(?P<service>[a-z]+):(?P<region>[a-z0-9-]*):(?P<account>[0-9]{12}):"
    r"(?P<type>[a-z-]+[:/])(?P<name>[A-Za-z0-9/_+=.@!-]+)"
)
_WITHOUT_REGION = frozenset({"global database"})


@dataclass(frozen=True, slots=True)
class Arn:
    """An ARN that names a database.

    Attributes:
        text: All of it.
        kind: Such as `DB cluster`.
        region: "" for a global database, which is in no one region.
        account: The 12 digits of its account.
        name: The identifier; of a stack its name alone, of a secret with the six characters behind it.
    """

    text: str
    kind: str
    region: str
    account: str
    name: str


def parse_arn(text: str) -> Arn:
    """Parse an ARN.

    Raises:
        TargetError: It names nothing of which the database could be found.
    """
    text = text.strip()
    match = _ARN.fullmatch(text)
    kind = _KINDS.get((match["service"], match["type"])) if match else None
    if match is None or kind is None or bool(match["region"]) == (kind in _WITHOUT_REGION):
        raise TargetError(
            f"{text!r} is not the ARN of a DB cluster or instance, a proxy, a stack or a secret.",
            cause="arn-unsupported",
        )
    name = match["name"].partition("/")[0] if kind == "stack" else match["name"]
    return Arn(text, kind, match["region"], match["account"], name)


def region_of_arn(arn: Arn, region: str | None) -> str | None:
    """The region to ask in: the ARN's own, else the given one.

    Raises:
        OptionError: Both are there, and differ.
    """
    if arn.region and region not in (None, arn.region):
        raise OptionError(f"The ARN is of {arn.region}, not of {region}.", cause="region-contradicts-arn")
    return arn.region or region
