"""Sink ``warehouse``: Apache Iceberg tables in a catalog by choice, a REST catalog or a Hadoop one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, SecretStr, StringConstraints, model_validator

from runtime_common.contracts import CheckStep
from runtime_common.endpoints.descriptor import EndpointDescriptor, EndpointModel, group
from runtime_common.endpoints.iceberg_catalog import IcebergCatalog, hadoop_catalog
from runtime_common.endpoints.iceberg_checks import warehouse_checks
from runtime_common.endpoints.iceberg_tables import IcebergTables
from runtime_common.endpoints.plugin import EndpointServices, SinkPlugin
from runtime_common.endpoints.warehouse_checks import catalog_server_checks
from runtime_common.exceptions import InternalError
from runtime_common.protocols import Check
from runtime_common.redaction import register_secret

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime_common.cancellation import Cancellation
    from runtime_common.spark import SparkEngine

Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s@]+$", max_length=1024)]


class WarehouseConfig(EndpointModel):
    """Which catalog, and how to log in to it."""

    catalog: Annotated[
        Literal["rest", "hadoop"],
        Field(
            title="Catalog",
            description="rest: a server of Iceberg's REST protocol; hadoop: a directory that is its own catalog",
            examples=["rest"],
            json_schema_extra=group("Location"),
        ),
    ]
    uri: Annotated[
        Url | None,
        Field(
            title="URI",
            description="Address of the REST catalog, without the version at its end",
            examples=["https://catalog.example.com/api/catalog"],
            json_schema_extra=group("Location"),
        ),
    ] = None
    warehouse: Annotated[
        str | None,
        Field(
            title="Warehouse",
            description="Hadoop: absolute directory, or a URL that Spark can write to. REST: name or location of the "
            "warehouse, where the server has several",
            examples=["analytics"],
            min_length=1,
            max_length=1024,
            json_schema_extra=group("Location"),
        ),
    ] = None
    namespace: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$"),
        Field(
            title="Namespace",
            description="Namespace of the tables; made when missing",
            examples=["nucleus"],
            json_schema_extra=group("Location"),
        ),
    ] = "nucleus"
    token: Annotated[
        SecretStr | None,
        Field(
            title="Token",
            description="Bearer token of the REST catalog",
            examples=["(stored sealed)"],
            json_schema_extra=group("Security"),
        ),
    ] = None
    credential: Annotated[
        SecretStr | None,
        Field(
            title="Credential",
            description="Client id and secret, joined by a colon, that are exchanged for a token (OAuth 2) where none "
            "is given, or it has expired",
            examples=["(stored sealed)"],
            json_schema_extra=group("Security"),
        ),
    ] = None
    oauth2_server_uri: Annotated[
        Url | None,
        Field(
            title="OAuth 2 server",
            description="Where the credential is exchanged; the catalog's own route when empty",
            examples=["https://login.example.com/oauth/tokens"],
            json_schema_extra=group("Security"),
        ),
    ] = None
    scope: Annotated[
        str | None,
        Field(
            title="Scope",
            description="What the token is asked for; the catalog's default when empty",
            examples=["PRINCIPAL_ROLE:ALL"],
            min_length=1,
            max_length=1024,
            json_schema_extra=group("Security"),
        ),
    ] = None

    @model_validator(mode="after")
    def _names_one_catalog(self) -> WarehouseConfig:
        if self.catalog == "hadoop":
            if self.warehouse is None or not (self.warehouse.startswith("/") or ":/" in self.warehouse):
                raise ValueError("a hadoop catalog needs a warehouse: an absolute directory, or a URL")
            if self.uri or self.token or self.credential or self.oauth2_server_uri or self.scope:
                raise ValueError("a hadoop catalog has no uri and no login; remove them, or choose rest")
            return self
        if self.uri is None:
            raise ValueError("a rest catalog needs its uri")
        if self.credential is None and (self.oauth2_server_uri or self.scope):
            raise ValueError("an OAuth 2 server and a scope need a credential")
        return self


DESCRIPTOR = EndpointDescriptor(
    id="warehouse",
    title="Iceberg warehouse",
    vendor="iceberg",
    description=(
        "Writes Apache Iceberg tables (format 2) by Spark into a REST catalog or a Hadoop one: merge by primary key, "
        "append, or replace all rows at once."
    ),
    role="sink",
    version="1",
    capabilities=("ingest.full", "ingest.incremental"),
    checks=(
        CheckStep(name="catalog", title="Reach the catalog"),
        CheckStep(name="authenticate", title="Log in to the catalog"),
        CheckStep(name="write", title="Prepare a table, and leave none"),
    ),
    write_modes=("append", "merge", "overwrite"),
    delivery_guarantee=(
        "Effectively once: run and batch id are part of each snapshot, which the catalog publishes only if the table "
        "has not moved since it was prepared; a repeated slice changes nothing."
    ),
    config_model=WarehouseConfig,
)


class WarehouseSink(IcebergTables):
    """Tables of the catalog that the config names."""

    def __init__(self, config: WarehouseConfig, engine: SparkEngine) -> None:
        super().__init__(_catalog(config), engine)
        self._config = config

    def checks(self, cancellation: Cancellation) -> Sequence[Check]:
        """Return the steps of the connection test."""
        if self._config.catalog == "rest":
            return catalog_server_checks(self._catalog, cancellation)
        reach, write = warehouse_checks(str(self._config.warehouse), self._engine, cancellation)
        login = Check(name="authenticate", run=lambda: "a directory has no login", needs=("catalog",))
        return (reach, login, write)


def _catalog(config: WarehouseConfig) -> IcebergCatalog:
    if config.catalog == "hadoop" or config.uri is None:
        return hadoop_catalog(str(config.warehouse), config.namespace)
    settings = {"type": "rest", "uri": config.uri.rstrip("/")}
    optional = {
        "warehouse": config.warehouse,
        "token": _secret(config.token),
        "credential": _secret(config.credential),
        "oauth2-server-uri": config.oauth2_server_uri,
        "scope": config.scope,
    }
    settings |= {name: value for name, value in optional.items() if value is not None}
    warehouse = "" if config.warehouse is None else f"{config.warehouse}."
    return IcebergCatalog(
        settings=settings,
        namespace=config.namespace,
        dataset_namespace=settings["uri"],
        dataset_prefix=f"{warehouse}{config.namespace}.",
    )


def _secret(value: SecretStr | None) -> str | None:
    if value is None:
        return None
    opened = value.get_secret_value()
    for part in (opened, opened.partition(":")[2]):
        register_secret(part)
    return opened


def _build(config: EndpointModel, services: EndpointServices) -> WarehouseSink:
    if not isinstance(config, WarehouseConfig):
        raise InternalError("warehouse was given the config of another endpoint")
    return WarehouseSink(config, services.spark)


ENDPOINT = SinkPlugin(descriptor=DESCRIPTOR, build=_build)
