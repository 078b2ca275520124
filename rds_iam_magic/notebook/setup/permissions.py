"""Which AWS permissions each magic needs: the table in docs/permissions.md, and the ground of its tests. Data only."""

from __future__ import annotations

from dataclasses import dataclass

_CLUSTERS, _INSTANCES, _PROXIES = "rds:DescribeDBClusters", "rds:DescribeDBInstances", "rds:DescribeDBProxies"
_SECRET = "secretsmanager:GetSecretValue"  # noqa: S105 - a permission's name
_CONNECT = "rds-db:connect"
_STACKS, _EVENTS = "cloudformation:DescribeStacks", "cloudformation:DescribeStackEvents"


@dataclass(frozen=True, slots=True)
class Need:
    """What one way to use a magic needs.

    Attributes:
        magic: The magic, with the words that make the difference.
        case: What the words stand for; "" if they say it all.
        actions: Each is needed: without one of them, an error names it.
        more: Asked for, too, where they are permitted; without them, a note says what was not looked at.
    """

    magic: str
    case: str
    actions: tuple[str, ...]
    more: tuple[str, ...] = ()


def _attaching(kind: str) -> Need:
    return Need(
        f"%rds_iam_policy … --attach {kind.lower()}/NAME",
        "beside what the databases take; --dry-run does without the last",
        (f"iam:Get{kind}", f"iam:List{kind}Policies", f"iam:Get{kind}Policy", f"iam:Put{kind}Policy"),
        (
            f"iam:ListAttached{kind}Policies",
            "iam:GetPolicy",
            "iam:GetPolicyVersion",
            f"iam:List{kind}s",
            _CLUSTERS,
            _INSTANCES,
        ),
    )


NEEDS = (
    Need("%rds_iam_connect HOST", "a host name, a URL with one", (_CONNECT,)),
    Need("%rds_iam_connect CLUSTER", "a cluster's identifier or ARN", (_CLUSTERS, _CONNECT)),
    Need("%rds_iam_connect INSTANCE", "an instance's identifier or ARN", (_INSTANCES, _CONNECT)),
    Need("%rds_iam_connect --stack STACK", "", (_STACKS, _CONNECT)),
    Need("%rds_iam_connect --secret SECRET", "a secret that names its database", (_SECRET, _CONNECT)),
    Need("%rds_databases --aws", "", (_CLUSTERS, _INSTANCES)),
    Need("%rds_iam_policy USER --resource-id ID --account N --region R", "", ()),
    Need("%rds_iam_policy USER CLUSTER", "a cluster by any name", (_CLUSTERS,)),
    Need("%rds_iam_policy USER INSTANCE", "an instance by any name", (_INSTANCES,)),
    Need("%rds_iam_policy USER MEMBER", "an instance in a cluster by any name", (_INSTANCES, _CLUSTERS)),
    Need(
        "%rds_iam_policy USER PROXY",
        "a proxy by its host name; by its ARN, none",
        (_PROXIES,),
    ),
    *map(_attaching, ("Role", "User", "Group")),
    Need("%rds_iam_user create NAME --secret SECRET", "a secret that names its database", (_SECRET,)),
    Need(
        "%rds_iam_user create NAME --secret MANAGED",
        "the secret that RDS manages for a cluster; for an instance rds:DescribeDBInstances instead",
        (_SECRET, _CLUSTERS),
    ),
    Need(
        "%rds_iam_access CLUSTER --secret SECRET",
        "for an instance in no cluster rds:DescribeDBInstances instead of the second",
        (_SECRET, _CLUSTERS, "iam:GetAccountAuthorizationDetails"),
    ),
    Need(
        "%rds_iam_enable TARGET --now",
        "an instance; for a cluster rds:DescribeDBClusters and rds:ModifyDBCluster instead",
        (_INSTANCES, "rds:ModifyDBInstance"),
    ),
    Need(
        "%rds_iam_provision deploy STACK --yes",
        "beside what CloudFormation needs to make what is in the stack",
        (
            _STACKS,
            "rds:DescribeDBEngineVersions",
            "ec2:DescribeVpcs",
            "ec2:DescribeSubnets",
            "cloudformation:CreateStack",
            _EVENTS,
        ),
    ),
    Need("%rds_iam_provision status STACK", "one that is complete; else its events, too", (_STACKS,)),
    Need(
        "%rds_iam_provision delete STACK --yes",
        "beside what CloudFormation needs to delete what is in the stack; with --engine mysql rds:DescribeDBInstances",
        (
            _STACKS,
            "cloudformation:ListStackResources",
            "iam:ListEntitiesForPolicy",
            _CLUSTERS,
            "cloudformation:DeleteStack",
            _EVENTS,
        ),
        ("rds:DescribeDBClusterSnapshots",),
    ),
)
"""Each way to use a magic that asks AWS for something else; what is not listed asks AWS for nothing."""
