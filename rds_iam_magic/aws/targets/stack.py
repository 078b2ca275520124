"""The database of a CloudFormation stack: by its outputs, else by its resources and those of nested stacks.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html and API_ListStackResources.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rds_iam_magic.aws.border import aws_call
from rds_iam_magic.aws.endpoint import Kind, checked_port, is_rds_name, parse_host_name
from rds_iam_magic.aws.failures import error_code, is_denial
from rds_iam_magic.aws.session import client_of, part_of
from rds_iam_magic.errors import TargetError

ENDPOINT, PORT, SECRET = "AuroraEndpoint", "AuroraPort", "AuroraSecret"
"""The outputs of this package's template for Aurora, and of AWS's article."""

_ENDINGS = ("Endpoint", "Port", "Secret")  # of outputs that belong together: DatabaseEndpoint, DatabasePort, …

_RANKS = {Kind.INSTANCE: 1, Kind.READER: 2, Kind.CUSTOM: 2}  # all others lead to a writer, whichever instance that is
_CLUSTER, _INSTANCE, _STACK = "AWS::RDS::DBCluster", "AWS::RDS::DBInstance", "AWS::CloudFormation::Stack"
_DEEPEST = 5
"""Stacks within stacks that are looked into."""


@dataclass(frozen=True, slots=True)
class StackNames:
    """What a stack names: a host name, or else the resources of a cluster's or an instance's kind.

    Attributes:
        name: The stack's own.
        host: A host name, `HOST` or `HOST:PORT`; "" for none.
        output: The output that has it.
        port: The port, if an output has it.
        secret: The master user's secret, if an output has it: its name or its ARN.
        clusters, instances: The identifiers of the stack's; looked for only without a host name.
    """

    name: str
    host: str = ""
    output: str = ""
    port: int | None = None
    secret: str | None = None
    clusters: tuple[str, ...] = ()
    instances: tuple[str, ...] = ()


def read_stack(session: Any, stack: str, region: str) -> StackNames:
    """What a stack names.

    Args:
        session: A boto3 session.
        stack: Its name or ARN.
        region: Its region.

    Raises:
        TargetError: There is no such stack (the hint names similar ones), its outputs name two writers, or nothing in
            it is a database.
        AwsError: It may not be looked at.
    """
    with aws_call(f"looking up the stack {stack}"):
        return _read(session, stack, region)


def _read(session: Any, stack: str, region: str) -> StackNames:
    client = client_of(session, "cloudformation", region_name=region)
    row, names = _describe(client, stack)
    if row is None:
        near = difflib.get_close_matches(stack, names, n=3, cutoff=0.4) or [n for n in names if stack in n][:3]
        raise TargetError(
            f"There is no stack {stack!r} in {region}.",
            f"Similar names there: {', '.join(near)}." if near else "",
            cause="stack-unknown",
        )
    name = str(row["StackName"])
    outputs = {str(each["OutputKey"]): str(each.get("OutputValue", "")) for each in row.get("Outputs") or ()}
    output = ENDPOINT if outputs.get(ENDPOINT) else _output_with_host(name, outputs)
    if output:
        port, secret = (_beside(output, ending, outputs) for ending in _ENDINGS[1:])
        return StackNames(
            name,
            host=outputs[output].strip(),
            output=output,
            port=checked_port(port) if port else None,
            secret=secret or outputs.get(SECRET) or None,
        )
    return _by_resources(client, row, name, outputs.get(SECRET) or None)


def _beside(output: str, ending: str, outputs: dict[str, str]) -> str:
    """The value of the output named like the endpoint's, with another ending; "" if there is none."""
    return outputs.get(output.removesuffix(_ENDINGS[0]) + ending, "") if output.endswith(_ENDINGS[0]) else ""


def _by_resources(client: Any, row: Any, name: str, secret: str | None) -> StackNames:
    resources = list(_resources(client, str(row.get("StackId") or name)))
    clusters = tuple(sorted({key for kind, key in resources if kind == _CLUSTER}))
    instances = tuple(sorted({key for kind, key in resources if kind == _INSTANCE}))
    one = clusters or instances
    if not one:
        raise TargetError(
            f"The stack {name} names no database: neither an output nor a resource is one (its status is "
            f"{row.get('StackStatus', 'unknown')}).",
            cause="stack-without-database",
        )
    if len(one) > 1:
        kind = "clusters" if clusters else "instances"
        raise _several(f"The stack {name} has several {kind}: {', '.join(one)}.")
    return StackNames(name, secret=secret, clusters=clusters, instances=instances)


def _describe(client: Any, stack: str) -> tuple[Any, list[str]]:
    """The stack; or None and the names of all that may be listed."""
    try:
        return part_of(client.describe_stacks(StackName=stack), "Stacks")[0], []
    except client.exceptions.ClientError as error:
        if error_code(error) != "ValidationError":  # so AWS calls a name that it does not know
            raise
    names: list[str] = []
    try:
        for page in client.get_paginator("describe_stacks").paginate():
            names += [str(each["StackName"]) for each in part_of(page, "Stacks")]
    except client.exceptions.ClientError as error:
        if not is_denial(error):
            raise
    return None, sorted(names)


def _output_with_host(stack: str, outputs: dict[str, str]) -> str:
    """The output whose value is an RDS host name, a writer's rather than a reader's; "" if there is none."""
    hosts = {key: parse_host_name(value, region="any") for key, value in outputs.items() if is_rds_name(value)}
    if not hosts:
        return ""
    best = min(_RANKS.get(endpoint.kind, 0) for endpoint in hosts.values())
    keys = [key for key, endpoint in hosts.items() if _RANKS.get(endpoint.kind, 0) == best]
    if len({hosts[key].host for key in keys}) > 1:
        listed = ", ".join(f"{key} {hosts[key].host}" for key in sorted(keys))
        raise _several(f"The outputs of the stack {stack} name several endpoints: {listed}.")
    return keys[0]


def _several(message: str) -> TargetError:
    return TargetError(message, cause="stack-with-several")


def _resources(client: Any, stack: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Type and physical id of each resource, those of nested stacks too."""
    for page in client.get_paginator("list_stack_resources").paginate(StackName=stack):
        for row in part_of(page, "StackResourceSummaries"):
            kind, key = str(row["ResourceType"]), str(row.get("PhysicalResourceId") or "")
            if not key or str(row.get("ResourceStatus", "")).startswith("DELETE_COMPLETE"):
                continue
            yield kind, key
            if kind == _STACK and depth < _DEEPEST:
                yield from _resources(client, key, depth + 1)
