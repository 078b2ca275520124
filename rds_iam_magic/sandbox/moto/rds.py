"""What moto's RDS lacks: `amend` changes moto's classes in this process, before its server starts.

- Each DB instance has a resource id of its own; moto has one for all.
- IAM authentication of clusters and instances is switched on and off: at once with `ApplyImmediately`, else it is among
  `PendingModifiedValues` until then, or until the instance is rebooted.
- Clusters may have custom endpoints, which are described, and which the cluster lists.
- A global database made from a cluster has that as its writer, is described by its name, and can switch over.

Proxies: `proxies.py`. The requests and answers are those of
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/.
"""

from __future__ import annotations

import secrets
import string
from typing import Any

from rds_iam_magic.sandbox.iam import ACCOUNT
from rds_iam_magic.sandbox.moto.changes import add_actions, after, direct, fault, result

CAPITALS = string.ascii_uppercase + string.digits
SMALL = string.ascii_lowercase + string.digits


def amend() -> None:
    """Make moto's RDS do all of the above; once for the process."""
    from moto.rds import models
    from moto.rds.responses import RDSResponse

    of: Any = models  # what is changed is not what mypy knows
    after(of.DBInstance, "__init__", _give_instance_its_id)
    of.DBCluster.custom_endpoints = property(lambda cluster: [each["Endpoint"] for each in _custom(cluster)])
    for owner in (of.DBCluster, of.DBInstance):
        owner.pending_modified_values = property(_pending)
    backend = of.RDSBackend
    for name, change in (
        ("modify_db_cluster", _modify_cluster),
        ("modify_db_instance", _modify_instance),
        ("reboot_db_instance", _reboot_instance),
        ("describe_orderable_db_instance_options", _offer),
    ):
        setattr(backend, name, change(getattr(backend, name)))
    add_actions(RDSResponse, _ACTIONS)
    after(RDSResponse, "create_global_cluster", _make_source_the_writer)


def subnets(region: str) -> list[str]:
    """The ids of two of a region's subnets; to make a client of EC2 would take longer than all the rest does."""
    from moto.ec2.models import ec2_backends

    return [subnet.id for subnet in ec2_backends[ACCOUNT][region].describe_subnets()][:2]


def text_of(alphabet: str, length: int) -> str:
    """A random text."""
    return "".join(secrets.choice(alphabet) for _ in range(length))


def _offer(options: Any) -> Any:
    """Of the engines that are spoken here, moto offers nothing."""

    def offered(backend: Any, engine: str, engine_version: str) -> list[dict[str, Any]]:
        if engine not in _HAVE_IAM:
            return list(options(backend, engine, engine_version))
        has_iam = not engine_version.startswith(_TOO_OLD)
        shown = {"Engine": engine, "EngineVersion": engine_version, "DBInstanceClass": "db.t4g.medium"}
        return [{**shown, "SupportsIAMDatabaseAuthentication": has_iam}]

    return offered


_HAVE_IAM = ("aurora-mysql", "mysql", "mariadb")
_TOO_OLD = ("5.5.", "10.0.", "10.1.")


def _give_instance_its_id(instance: Any) -> None:
    instance.dbi_resource_id = f"db-{text_of(CAPITALS, 26)}"


# Whether IAM authentication is on


def _modify_cluster(modify: Any) -> Any:
    def changed(backend: Any, kwargs: Any) -> Any:
        cluster = backend.clusters.get(kwargs["db_cluster_identifier"])
        if cluster is not None:  # before moto copies it for its answer
            _change_iam(cluster, kwargs)
        return modify(backend, kwargs)

    return changed


def _modify_instance(modify: Any) -> Any:
    def changed(backend: Any, db_instance_identifier: str, db_kwargs: Any) -> Any:
        _change_iam(backend.describe_db_instances(db_instance_identifier)[0], db_kwargs)
        return modify(backend, db_instance_identifier, db_kwargs)

    return changed


def _reboot_instance(reboot: Any) -> Any:
    def changed(backend: Any, db_instance_identifier: str) -> Any:
        instance = reboot(backend, db_instance_identifier)
        _apply(instance)
        return instance

    return changed


def _change_iam(database: Any, asked: Any) -> None:
    """What is pending is applied with the next change that is to be applied immediately, as on AWS."""
    wanted = asked.pop("enable_iam_database_authentication", None)
    if wanted is not None:
        vars(database)["pending_iam"] = wanted
    if asked.get("apply_immediately"):
        _apply(database)


def _apply(database: Any) -> None:
    wanted = vars(database).pop("pending_iam", None)
    if wanted is None:
        return
    if not hasattr(database, "iam_auth"):
        database.enable_iam_database_authentication = wanted
        return
    database.iam_auth = wanted
    for member in database.members:
        member.enable_iam_database_authentication = wanted


def _pending(database: Any) -> dict[str, bool] | None:
    """None is left out, as AWS does for clusters; for instances it gives an empty element."""
    wanted = vars(database).get("pending_iam")
    if wanted is None or wanted == database.iam_database_authentication_enabled:
        return None
    return {"IAMDatabaseAuthenticationEnabled": wanted}


# Custom endpoints of clusters


def _custom(cluster: Any) -> list[dict[str, Any]]:
    return vars(cluster).setdefault("custom_endpoint_rows", [])  # type: ignore[no-any-return] # moto's object


def create_db_cluster_endpoint(self: Any) -> Any:  # noqa: D103
    name, cluster = self.params["DBClusterEndpointIdentifier"].lower(), _cluster(self)
    row = {
        "DBClusterEndpointIdentifier": name,
        "DBClusterIdentifier": cluster.db_cluster_identifier,
        "DBClusterEndpointResourceIdentifier": f"cluster-endpoint-{text_of(CAPITALS, 26)}",
        "Endpoint": f"{name}.cluster-custom-{cluster.url_identifier}.{cluster.region}.rds.amazonaws.com",
        "Status": "available",
        "EndpointType": "CUSTOM",
        "CustomEndpointType": self.params["EndpointType"],
        "StaticMembers": self.params.get("StaticMembers") or [],
        "ExcludedMembers": self.params.get("ExcludedMembers") or [],
        "DBClusterEndpointArn": f"{cluster.arn.partition(':cluster:')[0]}:cluster-endpoint:{name}",
    }
    _custom(cluster).append(row)
    return direct(row)


def describe_db_cluster_endpoints(self: Any) -> Any:  # noqa: D103
    wanted = str(self.params.get("DBClusterEndpointIdentifier") or "").lower()
    clusters = [_cluster(self)] if self.params.get("DBClusterIdentifier") else list(self.backend.clusters.values())
    rows = [row for cluster in clusters for row in (*_built_in(cluster), *_custom(cluster))]
    found = [row for row in rows if not wanted or row.get("DBClusterEndpointIdentifier") == wanted]
    return result(DBClusterEndpoints=found)


def delete_db_cluster_endpoint(self: Any) -> Any:  # noqa: D103
    name = self.params["DBClusterEndpointIdentifier"].lower()
    for cluster in self.backend.clusters.values():
        for row in _custom(cluster):
            if row["DBClusterEndpointIdentifier"] == name:
                _custom(cluster).remove(row)
                return direct({**row, "Status": "deleting"})
    raise fault("rds", "DBClusterEndpointNotFoundFault", f"DBClusterEndpoint {name} not found.")


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
            raise fault("rds", "GlobalClusterNotFoundFault", f"Global Cluster {wanted} not found.")
    return result(GlobalClusters=found)


def switchover_global_cluster(self: Any) -> Any:  # noqa: D103
    database = self.global_backend.global_clusters[self.params["GlobalClusterIdentifier"]]
    target = self.params["TargetDbClusterIdentifier"]
    for member in database.members:
        member.is_writer = member.db_cluster_arn == target
    return result(GlobalCluster=database)


def failover_global_cluster(self: Any) -> Any:  # noqa: D103
    return switchover_global_cluster(self)


_ACTIONS = (
    create_db_cluster_endpoint,
    describe_db_cluster_endpoints,
    delete_db_cluster_endpoint,
    describe_global_clusters,
    switchover_global_cluster,
    failover_global_cluster,
)
