"""What moto's CloudFormation lacks: databases with all their properties, and stacks that take time and may fail.

A stack with a database is made as somebody looks at its events: each look brings it one database further. Whoever looks
at the stack itself finds it complete, and stacks without a database are complete at once, as moto has them.

Only `cloud.py` imports this module, when moto is there.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from botocore import xform_name
from moto.cloudformation.models import CloudFormationBackend, Stack
from moto.core.common_models import CloudFormationModel
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.iam.models import ManagedPolicy, iam_backends
from moto.moto_api._internal import mock_random
from moto.rds.models import DBCluster, DBClusterParameterGroup, MasterUserSecret, RDSBackend, rds_backends
from moto.rds.responses import RDSResponse

from rds_iam_magic.sandbox.iam import ACCOUNT, PARTITION
from rds_iam_magic.sandbox.verifier import ServedEndpoint

CLUSTER_LABEL = "csandboxaaaa"
"""The part of clusters' host names that is random on AWS; here one certificate is to cover those to come."""

INSTANCE_LABEL = "aaaaaaaaaa"  # moto's, for all instances

_SPOKEN = ("mysql", "mariadb", "aurora-mysql")


def install(password: str) -> None:
    """Change this process's moto, before it is used.

    Args:
        password: The server's master password, which each secret that RDS manages gets.
    """

    def secret_text(secret: Any) -> str:
        return json.dumps({"username": secret.resource.master_username, "password": password})

    _replace(MasterUserSecret, _generate_secret_string=secret_text)
    _replace(DBCluster, url_identifier=property(lambda _: CLUSTER_LABEL, lambda *_: None))
    _replace(RDSResponse, describe_db_engine_versions=_describe_engine_versions)
    _Steps.create_at_once, _Steps.delete_at_once = Stack.create_resources, CloudFormationBackend.delete_stack
    outputs: Any = vars(Stack)["outputs"]
    _replace(
        Stack,
        create_resources=_Steps.begin,
        outputs=property(_when_there(outputs.fget)),
        stack_resources=property(_made),
    )
    finders = ("describe_stacks", "get_stack", "list_stacks")
    _replace(CloudFormationBackend, **{name: _looking(vars(CloudFormationBackend)[name]) for name in finders})
    _replace(CloudFormationBackend, describe_stack_events=_events, delete_stack=_delete_stack)


def _replace(owner: Any, **members: Any) -> None:
    for name, member in members.items():
        setattr(owner, name, member)


def find_endpoint(place: str) -> ServedEndpoint | None:
    """The database that answers at `host:port`, as far as AWS knows it."""
    for region, backend in list(rds_backends[ACCOUNT].items()):
        databases: list[Any] = [*backend.clusters.values(), *backend.databases.values()]
        for database in databases:
            if database.engine in _SPOKEN and place in _places(database):
                owner: Any = backend.clusters.get(database.db_cluster_identifier or "", database)
                is_cluster = isinstance(owner, DBCluster)
                resource_id = owner.db_cluster_resource_id if is_cluster else owner.dbi_resource_id
                return ServedEndpoint(
                    region,
                    f"arn:{PARTITION}:rds-db:{region}:{ACCOUNT}:dbuser:{resource_id}",
                    iam_enabled=bool(owner.iam_auth if is_cluster else owner.enable_iam_database_authentication),
                )
    return None


def _places(database: Any) -> set[str]:
    if isinstance(database, DBCluster):
        return {f"{host}:{database.port}" for host in (database.endpoint, database.reader_endpoint)}
    return {f"{database.address}:{database.port}"}


def _describe_engine_versions(response: Any) -> Any:
    """DescribeDBEngineVersions, of a few versions."""
    wanted = {name: response.params.get(name) for name in ("Engine", "EngineVersion", "DefaultOnly")}
    rows = [
        row
        for row in _VERSIONS
        if row["Engine"] == wanted["Engine"]
        and wanted["EngineVersion"] in (None, row["EngineVersion"])
        and (not wanted["DefaultOnly"] or row is next(r for r in _VERSIONS if r["Engine"] == row["Engine"]))
    ]
    return ActionResult({"DBEngineVersions": rows})


def _version(engine: str, version: str, family: str, **more: Any) -> dict[str, Any]:
    logs = ["audit", "error", "general", "iam-db-auth-error", "slowquery"]
    row = {"Engine": engine, "EngineVersion": version, "DBParameterGroupFamily": family, "ExportableLogTypes": logs}
    return {**row, "Status": "available", **more}


_PAUSES = {"ServerlessV2FeaturesSupport": {"MinCapacity": 0.0, "MaxCapacity": 256.0}}
_STAYS = {"ServerlessV2FeaturesSupport": {"MinCapacity": 0.5, "MaxCapacity": 128.0}}
_VERSIONS = (  # the first of each engine is its default
    _version("aurora-mysql", "8.0.mysql_aurora.3.10.6", "aurora-mysql8.0", **_PAUSES),
    _version("aurora-mysql", "8.0.mysql_aurora.3.04.4", "aurora-mysql8.0", **_STAYS),
    _version("mysql", "8.4.11", "mysql8.4"),
    _version("mysql", "8.0.46", "mysql8.0", ExportableLogTypes=["error", "general", "slowquery"]),
)


class _Resource:
    """What the models below have in common; CloudFormation's attributes by name are in `attributes`."""

    kind: ClassVar[str]
    named_by: ClassVar[str] = ""
    known: ClassVar[tuple[str, ...]] = ()

    def __init__(self, name: str, described: Mapping[str, Any]) -> None:
        self.physical_resource_id = name
        self.keeps_snapshot = described.get("DeletionPolicy") == "Snapshot"

    @classmethod
    def cloudformation_type(cls) -> str:
        return cls.kind

    @classmethod
    def cloudformation_name_type(cls) -> str:
        return cls.named_by

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr in cls.known

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any
    ) -> Any:
        made = cls(resource_name, cloudformation_json)
        made.create(account_id, region_name, dict(cloudformation_json["Properties"]))
        return made

    def create(self, account: str, region: str, properties: dict[str, Any]) -> None:
        raise NotImplementedError

    def get_cfn_attribute(self, attribute_name: str) -> Any:
        return self.attributes()[attribute_name]

    def attributes(self) -> dict[str, Any]:
        return {}

    def is_created(self) -> bool:
        return True


class _Cluster(_Resource, CloudFormationModel):
    kind = "AWS::RDS::DBCluster"
    named_by = "DBClusterIdentifier"
    known = ("DBClusterResourceId", "Endpoint.Address", "Endpoint.Port", "MasterUserSecret.SecretArn",
             "ReadEndpoint.Address")  # fmt: skip

    def create(self, account: str, region: str, properties: dict[str, Any]) -> None:
        name = self.physical_resource_id = self.physical_resource_id.lower()
        backend = rds_backends[account][region]
        if name in backend.clusters:
            raise ServiceException("DBClusterAlreadyExistsFault", "DB Cluster already exists")
        self._made = backend.create_db_cluster({**_arguments(properties), "db_cluster_identifier": name})
        self._made.status = "available"  # a stack is complete when its databases are
        _replace(self._made.master_user_secret, _status="active")

    def attributes(self) -> dict[str, Any]:
        made = self._made
        return {
            "DBClusterResourceId": made.db_cluster_resource_id,
            "Endpoint.Address": made.endpoint,
            "Endpoint.Port": str(made.port),
            "MasterUserSecret.SecretArn": made.master_user_secret.secret_arn,
            "ReadEndpoint.Address": made.reader_endpoint,
        }

    def delete(self, account: str, region: str) -> None:
        name = self.physical_resource_id
        rds_backends[account][region].delete_db_cluster(name, _snapshot(name) if self.keeps_snapshot else None)


class _Instance(_Resource, CloudFormationModel):
    kind = "AWS::RDS::DBInstance"
    named_by = "DBInstanceIdentifier"
    known = ("DbiResourceId", "Endpoint.Address", "Endpoint.Port", "MasterUserSecret.SecretArn")

    def create(self, account: str, region: str, properties: dict[str, Any]) -> None:
        name = self.physical_resource_id = self.physical_resource_id.lower()
        properties["VpcSecurityGroupIds"] = properties.pop("VPCSecurityGroups", [])
        arguments = {**_arguments(properties), "db_instance_identifier": name}
        self._made = rds_backends[account][region].create_db_instance(arguments)
        self._made.dbi_resource_id = f"db-{mock_random.get_random_string(26, lower_case=False).upper()}"

    def attributes(self) -> dict[str, Any]:
        made = self._made
        secret = {"MasterUserSecret.SecretArn": made.master_user_secret.secret_arn} if _has_secret(made) else {}
        return {
            "DbiResourceId": made.dbi_resource_id,
            "Endpoint.Address": made.address,
            "Endpoint.Port": str(made.port),
            **secret,
        }

    def delete(self, account: str, region: str) -> None:
        name = self.physical_resource_id
        rds_backends[account][region].delete_db_instance(name, _snapshot(name) if self.keeps_snapshot else None)


class _ClusterParameters(_Resource, CloudFormationModel):
    kind = "AWS::RDS::DBClusterParameterGroup"

    def create(self, account: str, region: str, properties: dict[str, Any]) -> None:
        name = self.physical_resource_id = self.physical_resource_id.lower()
        backend: RDSBackend = rds_backends[account][region]
        group: DBClusterParameterGroup = backend.create_db_cluster_parameter_group(
            name, properties["Family"], properties["Description"], []
        )
        group.update_cluster_parameters(
            {"ParameterName": key, "ParameterValue": value} for key, value in properties["Parameters"].items()
        )

    def delete(self, account: str, region: str) -> None:
        rds_backends[account][region].delete_db_cluster_parameter_group(self.physical_resource_id)


class _Policy(_Resource, CloudFormationModel):
    """moto leaves the policy behind when the stack is deleted."""

    kind = "AWS::IAM::ManagedPolicy"

    def create(self, account: str, region: str, properties: dict[str, Any]) -> None:
        name = self.physical_resource_id
        made = ManagedPolicy.create_from_cloudformation_json(name, {"Properties": properties}, account, region)
        self.physical_resource_id = made.arn

    def delete(self, account: str, region: str) -> None:
        del region
        backend = iam_backends[account][PARTITION]
        if backend.get_policy(self.physical_resource_id).attachment_count:
            raise ServiceException("DeleteConflict", "Cannot delete a policy attached to entities.")
        backend.delete_policy(self.physical_resource_id)


def _arguments(properties: Mapping[str, Any]) -> dict[str, Any]:
    """A resource's properties as the arguments of moto's functions."""
    return {xform_name(key): _argument(value) for key, value in properties.items()}


def _argument(value: Any) -> Any:
    if isinstance(value, dict):
        return _arguments(value)
    if value in ("true", "false"):
        return value == "true"
    return getattr(value, "name", value)  # what Ref gives of moto's own models


def _has_secret(instance: Any) -> bool:
    return bool(instance.manage_master_user_password)


def _snapshot(name: str) -> str:
    return f"{name}-snapshot-{mock_random.get_random_string(12, lower_case=True)}"


class _Steps:
    """How a stack is made, one look after the other."""

    create_at_once: ClassVar[Callable[[Any], None]]
    delete_at_once: ClassVar[Callable[[Any, str], None]]
    lock: ClassVar[threading.RLock] = threading.RLock()

    @staticmethod
    def begin(stack: Any) -> None:
        """In place of `Stack.create_resources`."""
        if not any(_takes_time(resource) for resource in stack.template_dict["Resources"].values()):
            _Steps.create_at_once(stack)
            return
        stack.status = "CREATE_IN_PROGRESS"
        stack.steps = _create(stack)

    @staticmethod
    def advance(stack: Any, *, to_the_end: bool) -> None:
        with _Steps.lock:
            for _ in getattr(stack, "steps", ()):
                if not to_the_end:
                    return


def _takes_time(resource: Mapping[str, Any]) -> bool:
    return resource["Type"] in (_Cluster.kind, _Instance.kind)


def _create(stack: Any) -> Iterator[None]:
    resources = stack.resource_map
    for name, described in stack.template_dict["Resources"].items():
        if not resources.lazy_condition_map.get(described.get("Condition"), True):
            continue
        _tell(stack, name, "CREATE_IN_PROGRESS")
        if _takes_time(described):
            yield
        try:
            resources[name]
        except Exception as error:  # noqa: BLE001 - whatever moto refuses it with is the reason
            _tell(stack, name, "CREATE_FAILED", reason=str(getattr(error, "message", error)))
            yield from _roll_back(stack, name)
            return
        _tell(stack, name, "CREATE_COMPLETE")
    stack.mark_creation_complete()


def _roll_back(stack: Any, failed: str) -> Iterator[None]:
    reason = f"The following resource(s) failed to create: [{failed}]. Rollback requested by user."
    stack.status = "ROLLBACK_IN_PROGRESS"
    stack._add_stack_event(stack.status, resource_status_reason=reason)  # noqa: SLF001 - moto's own
    yield
    _delete_resources(stack)
    stack.status = "ROLLBACK_COMPLETE"
    stack._add_stack_event(stack.status)  # noqa: SLF001 - moto's own


def _delete_resources(stack: Any) -> bool:
    """Delete what was made, in reverse; whether all of it could be."""
    resources, ok = stack.resource_map, True
    for name in reversed(list(stack.template_dict["Resources"])):
        made = resources._parsed_resources.get(name)  # noqa: SLF001 - to look is to make elsewhere
        if made is None:
            continue
        _tell(stack, name, "DELETE_IN_PROGRESS")
        try:
            resources._delete_resource(made, stack.template_dict["Resources"][name])  # noqa: SLF001 - moto's own
        except Exception as error:  # noqa: BLE001 - whatever moto refuses it with is the reason
            _tell(stack, name, "DELETE_FAILED", reason=str(getattr(error, "message", error)))
            ok = False
        else:
            _tell(stack, name, "DELETE_COMPLETE")
            del resources._parsed_resources[name]  # noqa: SLF001 - moto's own
    return ok


def _delete_stack(backend: Any, name_or_id: str) -> None:
    """In place of `CloudFormationBackend.delete_stack`: what cannot be deleted is an event, not a fault of the call."""
    stack = next((s for s in backend.stacks.values() if name_or_id in (s.name, s.stack_id)), None)
    if stack is None or not hasattr(stack, "steps"):
        _Steps.delete_at_once(backend, name_or_id)
        return
    with _Steps.lock:
        stack.steps = iter(())
        stack._add_stack_event("DELETE_IN_PROGRESS", resource_status_reason="User Initiated")  # noqa: SLF001
        stack.status = "DELETE_COMPLETE" if _delete_resources(stack) else "DELETE_FAILED"
        stack._add_stack_event(stack.status)  # noqa: SLF001 - moto's own
        if stack.status == "DELETE_COMPLETE":
            backend.deleted_stacks[stack.stack_id] = backend.stacks.pop(stack.stack_id)


def _tell(stack: Any, name: str, status: str, *, reason: str | None = None) -> None:
    from moto.cloudformation.models import Event

    made = stack.resource_map._parsed_resources.get(name)  # noqa: SLF001 - to look is to make elsewhere
    physical = str(getattr(made, "physical_resource_id", getattr(made, "name", "")))
    kind = stack.template_dict["Resources"][name]["Type"]
    stack.events.append(Event(stack.stack_id, stack.name, name, physical, kind, status, reason, None))


def _events(backend: Any, stack_name: str) -> Any:
    """In place of `CloudFormationBackend.describe_stack_events`: a look brings the stack further."""
    stack = next((s for s in backend.stacks.values() if stack_name in (s.name, s.stack_id)), None)
    if stack is None:
        return backend.get_stack(stack_name).events
    _Steps.advance(stack, to_the_end=False)
    return stack.events


def _looking(function: Callable[..., Any]) -> Callable[..., Any]:
    """A method of the backend that finds its stacks complete."""

    def look(backend: Any, *arguments: Any, **named: Any) -> Any:
        for stack in list(backend.stacks.values()):
            _Steps.advance(stack, to_the_end=True)
        return function(backend, *arguments, **named)

    return look


def _when_there(outputs: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A stack that failed has no outputs; moto would make its resources for them."""
    return lambda stack: None if hasattr(stack, "steps") and stack.status != "CREATE_COMPLETE" else outputs(stack)


def _made(stack: Any) -> list[Any]:
    """The resources that are there; moto would make the others."""
    made = stack.resource_map._parsed_resources  # noqa: SLF001 - to look is to make elsewhere
    return (
        [made.get(name) for name in stack.resource_map.resources]
        if not hasattr(stack, "steps")
        else [made[name] for name in stack.resource_map.resources if name in made]
    )
