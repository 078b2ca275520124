"""What moto's RDS lacks, in one place: `amend` changes moto's classes in this process, before its server starts.

- Each DB instance has a resource id of its own; moto has one for all.
- `ModifyDBCluster` switches IAM authentication on and off.
- Proxies are named `NAME.proxy-ID.…`, as on AWS, keep their default authentication, and may have further endpoints.
- Clusters may have custom endpoints, which are described, and which the cluster lists.
- A global database made from a cluster has that as its writer, is described by its name, and can switch over.

The requests and answers are those of https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable
from typing import Any

from rds_iam_magic.sandbox.iam import ACCOUNT

_CAPITALS = string.ascii_uppercase + string.digits
_SMALL = string.ascii_lowercase + string.digits


def amend() -> None:
    """Make moto's RDS do all of the above; once for the process."""
    from moto.rds import models
    from moto.rds.responses import RDSResponse

    of: Any = models  # what is changed is not what mypy knows
    _after(of.DBInstance, "__init__", _give_instance_its_id)
    _after(of.DBProxy, "__init__", _name_proxy)
    of.DBCluster.custom_endpoints = property(lambda cluster: [each["Endpoint"] for each in _custom(cluster)])
    modify = of.RDSBackend.modify_db_cluster
    of.RDSBackend.modify_db_cluster = lambda backend, kwargs: _modify_cluster(modify, backend, kwargs)
    for action in _ACTIONS:
        setattr(RDSResponse, action.__name__, action)
    for name in ("create_db_proxy", "create_global_cluster"):
        _after(RDSResponse, name, _MORE[name])


def subnets(region: str) -> list[str]:
    """The ids of two of a region's subnets; to make a client of EC2 would take longer than all the rest does."""
    from moto.ec2.models import ec2_backends

    return [subnet.id for subnet in ec2_backends[ACCOUNT][region].describe_subnets()][:2]


def _after(owner: Any, name: str, more: Callable[[Any], None]) -> None:
    """Have `more` done to the object after each call of its method."""
    original = getattr(owner, name)

    def both(self: Any, *arguments: Any, **options: Any) -> Any:
        answer = original(self, *arguments, **options)
        more(self)
        return answer

    setattr(owner, name, both)


def _text_of(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


def _give_instance_its_id(instance: Any) -> None:
    instance.dbi_resource_id = f"db-{_text_of(_CAPITALS, 26)}"


def _modify_cluster(modify: Any, backend: Any, kwargs: dict[str, Any]) -> Any:
    wanted = kwargs.get("enable_iam_database_authentication")
    name = kwargs.get("new_db_cluster_identifier") or kwargs["db_cluster_identifier"]
    answer = modify(backend, kwargs)
    if wanted is not None:
        backend.clusters[name].iam_auth = answer.iam_auth = wanted
    return answer


# Proxies


def _name_proxy(proxy: Any) -> None:
    proxy.endpoint = f"{proxy.db_proxy_name}.proxy-{proxy.url_identifier}.{proxy.region}.rds.amazonaws.com"
    proxy.default_auth_scheme = "NONE"
    proxy.further_endpoints = {}


def _keep_default_authentication(response: Any) -> None:
    proxy = response.backend.db_proxies[response.params["DBProxyName"]]
    proxy.default_auth_scheme = response.params.get("DefaultAuthScheme") or "NONE"


def create_db_proxy_endpoint(self: Any) -> Any:  # noqa: D103 - an action of RDS
    name, proxy = self.params["DBProxyEndpointName"], _proxy(self)
    of_account = proxy.arn.partition(":db-proxy:")[0]
    proxy.further_endpoints[name] = {
        "DBProxyEndpointName": name,
        "DBProxyEndpointArn": f"{of_account}:db-proxy-endpoint:prx-endpoint-{_text_of(_SMALL, 17)}",
        "DBProxyName": proxy.db_proxy_name,
        "Status": "available",
        "Endpoint": f"{name}.endpoint.proxy-{proxy.url_identifier}.{proxy.region}.rds.amazonaws.com",
        "TargetRole": self.params.get("TargetRole") or "READ_WRITE",
        "IsDefault": False,
    }
    return _result(DBProxyEndpoint=proxy.further_endpoints[name])


def describe_db_proxy_endpoints(self: Any) -> Any:  # noqa: D103
    wanted = self.params.get("DBProxyEndpointName")
    proxies = [_proxy(self)] if self.params.get("DBProxyName") else list(self.backend.db_proxies.values())
    rows = [row for proxy in proxies for row in proxy.further_endpoints.values()]
    found = [row for row in rows if wanted in (None, row["DBProxyEndpointName"])]
    if wanted and not found:
        raise _fault("DBProxyEndpointNotFoundFault", f"DB Proxy Endpoint {wanted} not found.")
    return _result(DBProxyEndpoints=found)


def delete_db_proxy_endpoint(self: Any) -> Any:  # noqa: D103
    name = self.params["DBProxyEndpointName"]
    for proxy in self.backend.db_proxies.values():
        if name in proxy.further_endpoints:
            return _result(DBProxyEndpoint=proxy.further_endpoints.pop(name))
    raise _fault("DBProxyEndpointNotFoundFault", f"DB Proxy Endpoint {name} not found.")


def _proxy(response: Any) -> Any:
    return response.backend.describe_db_proxies(response.params["DBProxyName"])[0]


# Custom endpoints of clusters


def _custom(cluster: Any) -> list[dict[str, Any]]:
    return vars(cluster).setdefault("custom_endpoint_rows", [])  # type: ignore[no-any-return] # moto's object


def create_db_cluster_endpoint(self: Any) -> Any:  # noqa: D103
    name, cluster = self.params["DBClusterEndpointIdentifier"].lower(), _cluster(self)
    row = {
        "DBClusterEndpointIdentifier": name,
        "DBClusterIdentifier": cluster.db_cluster_identifier,
        "DBClusterEndpointResourceIdentifier": f"cluster-endpoint-{_text_of(_CAPITALS, 26)}",
        "Endpoint": f"{name}.cluster-custom-{cluster.url_identifier}.{cluster.region}.rds.amazonaws.com",
        "Status": "available",
        "EndpointType": "CUSTOM",
        "CustomEndpointType": self.params["EndpointType"],
        "StaticMembers": self.params.get("StaticMembers") or [],
        "ExcludedMembers": self.params.get("ExcludedMembers") or [],
        "DBClusterEndpointArn": f"{cluster.arn.partition(':cluster:')[0]}:cluster-endpoint:{name}",
    }
    _custom(cluster).append(row)
    return _direct(row)


def describe_db_cluster_endpoints(self: Any) -> Any:  # noqa: D103
    wanted = str(self.params.get("DBClusterEndpointIdentifier") or "").lower()
    clusters = [_cluster(self)] if self.params.get("DBClusterIdentifier") else list(self.backend.clusters.values())
    rows = [row for cluster in clusters for row in (*_built_in(cluster), *_custom(cluster))]
    found = [row for row in rows if not wanted or row.get("DBClusterEndpointIdentifier") == wanted]
    return _result(DBClusterEndpoints=found)


def delete_db_cluster_endpoint(self: Any) -> Any:  # noqa: D103
    name = self.params["DBClusterEndpointIdentifier"].lower()
    for cluster in self.backend.clusters.values():
        for row in _custom(cluster):
            if row["DBClusterEndpointIdentifier"] == name:
                _custom(cluster).remove(row)
                return _direct({**row, "Status": "deleting"})
    raise _fault("DBClusterEndpointNotFoundFault", f"DBClusterEndpoint {name} not found.")


def _built_in(cluster: Any) -> list[dict[str, Any]]:
    both = (("WRITER", cluster.endpoint), ("READER", cluster.reader_endpoint))
    return [
        {
            "DBClusterIdentifier": cluster.db_cluster_identifier,
            "Endpoint": host,
            "Status": "available",
            "EndpointType": kind,
        }
        for kind, host in both
    ]


def _cluster(response: Any) -> Any:
    return response.backend.describe_db_clusters(response.params["DBClusterIdentifier"])[0]


# Global databases


def _make_source_the_writer(response: Any) -> None:
    members = response.global_backend.global_clusters[response.params["GlobalClusterIdentifier"]].members
    for member in members:
        member.is_writer = True


def describe_global_clusters(self: Any) -> Any:  # noqa: D103
    wanted = self.params.get("GlobalClusterIdentifier")
    found = self.global_backend.describe_global_clusters()
    if wanted:
        found = [each for each in found if each.global_cluster_identifier == wanted.lower()]
        if not found:
            raise _fault("GlobalClusterNotFoundFault", f"Global Cluster {wanted} not found.")
    return _result(GlobalClusters=found)


def switchover_global_cluster(self: Any) -> Any:  # noqa: D103
    database = self.global_backend.global_clusters[self.params["GlobalClusterIdentifier"]]
    target = self.params["TargetDbClusterIdentifier"]
    for member in database.members:
        member.is_writer = member.db_cluster_arn == target
    return _result(GlobalCluster=database)


def failover_global_cluster(self: Any) -> Any:  # noqa: D103
    return switchover_global_cluster(self)


_ACTIONS = (
    create_db_proxy_endpoint,
    describe_db_proxy_endpoints,
    delete_db_proxy_endpoint,
    create_db_cluster_endpoint,
    describe_db_cluster_endpoints,
    delete_db_cluster_endpoint,
    describe_global_clusters,
    switchover_global_cluster,
    failover_global_cluster,
)

_MORE = {"create_db_proxy": _keep_default_authentication, "create_global_cluster": _make_source_the_writer}


def _result(**parts: Any) -> Any:
    return _direct(parts)


def _direct(answer: Any) -> Any:
    from moto.core.responses import ActionResult

    return ActionResult(answer)


def _fault(code: str, message: str) -> Exception:
    from moto.rds.exceptions import RDSClientError

    return RDSClientError(code, message)
