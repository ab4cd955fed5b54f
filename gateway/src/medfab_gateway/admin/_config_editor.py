"""Changes of a channel's configuration, by what administrators call them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Self

from cryptography import x509
from fabric_protos.common import configtx_pb2
from fabric_protos.msp import msp_config_pb2
from fabric_protos.orderer import configuration_pb2 as orderer_pb2
from fabric_protos.peer import configuration_pb2 as peer_pb2

from medfab_gateway.admin import _consenters as consenters
from medfab_gateway.admin._channel_config import ChannelConfig
from medfab_gateway.admin._config_update import parse_config, serialize
from medfab_gateway.admin._config_update_request import ConfigUpdateRequest
from medfab_gateway.admin._organization_definition import (
    ADMINS,
    ROLES,
    OrganizationDefinition,
    anchor_peers_message,
    msp_of,
)
from medfab_gateway.admin.errors import ConfigError

_DURATION = re.compile(r"([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+")


class ConfigEditor:
    """A configuration while it is changed.

        editor = ConfigEditor(await channels.config("care"))
        editor.set_batch(max_message_count=100, timeout="1s")
        request = editor.update()          # to be signed, sent around, submitted

    Each method changes the copy at hand and raises `ConfigError` where it makes no sense; nothing
    reaches the channel before `AsyncChannelAdmin.submit`.
    """

    def __init__(self, config: ChannelConfig) -> None:
        self._original = config
        self._config = parse_config(config.serialized)

    @property
    def config(self) -> ChannelConfig:
        """The configuration as it has become."""
        return ChannelConfig(self._original.channel_name, serialize(self._config))

    def update(self) -> ConfigUpdateRequest:
        """The update that leads here, without signatures; `ConfigError` where nothing differs."""
        return ConfigUpdateRequest.compute(self._original, self.config)

    # --- organisations -------------------------------------------------------------------------

    def add_organization(self, definition: OrganizationDefinition) -> Self:
        """Take an organisation in, as a member that can have peers and contracts."""
        application = self._group("Application")
        msp_id = definition.msp_id
        group = configtx_pb2.ConfigGroup.FromString(definition.serialized)
        known = {known: name for name, known, _ in self._organizations()}
        name = known.get(msp_id, msp_id)
        if name in application.groups:
            there = OrganizationDefinition.of_member(application.groups[name])
            if there != OrganizationDefinition.of_member(group):
                raise ConfigError(
                    f"{msp_id} is a member of {self._original.channel_name} already, by another "
                    "definition"
                )
            return self
        application.groups[name].CopyFrom(group)
        return self

    def remove_organization(self, msp_id: str) -> Self:
        """Put an organisation out. Its peers keep the blocks that they have, and get no more."""
        application = self._group("Application")
        for name, known, _ in self._organizations():
            if known == msp_id:
                del application.groups[name]
                return self
        members = ", ".join(sorted({known for _, known, _ in self._organizations()}))
        raise ConfigError(f"{self._original.channel_name} has no member {msp_id}; it has {members}")

    def set_anchor_peers(self, msp_id: str, peers: Sequence[tuple[str, int]]) -> Self:
        """The peers, (host, port), that other organisations' peers turn to first; may be none."""
        for group in self._groups_of(msp_id, "Application"):
            _set_value(group, "AnchorPeers", anchor_peers_message(peers))
        return self

    def set_revocation_lists(self, msp_id: str, lists: Sequence[bytes]) -> Self:
        """The organisation's certificate revocation lists, PEM, in place of those there were.

        A list must be signed by one of the organisation's authorities: orderers look at that when
        the update is submitted.
        """
        for pem in lists:
            _check_revocation_list(pem)
        for group in self._groups_of(msp_id, "Application", "Orderer"):
            msp = msp_of(group)
            del msp.revocation_list[:]
            msp.revocation_list.extend(lists)
            _set_msp(group, msp)
        return self

    def add_revocation_list(self, msp_id: str, pem: bytes) -> Self:
        """Add a revocation list, in place of any earlier one of the same authority.

        An authority with a new root is another one, whatever its name.
        """
        issuer = issuer_of_list(_check_revocation_list(pem))
        [msp, *_] = [msp_of(g) for g in self._groups_of(msp_id, "Application", "Orderer")]
        others = [
            each
            for each in msp.revocation_list
            if issuer_of_list(x509.load_pem_x509_crl(each)) != issuer
        ]
        return self.set_revocation_lists(msp_id, [*others, pem])

    def revocation_lists(self, msp_id: str) -> tuple[bytes, ...]:
        """The organisation's certificate revocation lists that are in force, PEM."""
        [msp, *_] = [msp_of(g) for g in self._groups_of(msp_id, "Application", "Orderer")]
        return tuple(msp.revocation_list)

    def set_roots(self, msp_id: str, *, roots: Sequence[bytes], tls_roots: Sequence[bytes]) -> Self:
        """The organisation's root certificates, PEM, in place of those there were.

        For a new root of its authorities: first both, then the new ones alone. What the old one
        has issued is refused from then on, and its revocation list goes with it. Roles (NodeOUs)
        are taken from certificates of any of the roots.
        """
        keys = {subject_key(_check_root(pem)) for pem in roots}
        for pem in tls_roots:
            _check_root(pem)
        if not roots:
            raise ConfigError(f"{msp_id} needs at least one root certificate")
        for group in self._groups_of(msp_id, "Application", "Orderer"):
            msp = msp_of(group)
            lists = [
                pem
                for pem in msp.revocation_list
                if issuer_of_list(x509.load_pem_x509_crl(pem))[1] in keys
            ]
            for field, content in (
                ("root_certs", roots),
                ("tls_root_certs", tls_roots),
                ("revocation_list", lists),
            ):
                del getattr(msp, field)[:]
                getattr(msp, field).extend(content)
            for role in ROLES:
                if msp.fabric_node_ous.HasField(f"{role}_ou_identifier"):
                    getattr(msp.fabric_node_ous, f"{role}_ou_identifier").certificate = b""
            _set_msp(group, msp)
        return self

    # --- the channel's settings ----------------------------------------------------------------

    def set_batch(
        self,
        *,
        max_message_count: int | None = None,
        absolute_max_bytes: int | None = None,
        preferred_max_bytes: int | None = None,
        timeout: str | None = None,
    ) -> Self:
        """How large a block may become, and how long the first transaction in it waits.

        Args:
            max_message_count: Transactions in a block; None leaves it as it is, as do all.
            absolute_max_bytes: A larger transaction is refused.
            preferred_max_bytes: A block is cut before it becomes larger.
            timeout: A duration in Go's form: `250ms`, `2s`.
        """
        orderer = self._group("Orderer")
        sizes = {
            "max_message_count": max_message_count,
            "absolute_max_bytes": absolute_max_bytes,
            "preferred_max_bytes": preferred_max_bytes,
        }
        wanted = {name: value for name, value in sizes.items() if value is not None}
        if wanted:
            size = orderer_pb2.BatchSize.FromString(orderer.values["BatchSize"].value)
            for name, value in wanted.items():
                if not 1 <= value < 2**32:
                    raise ConfigError(f"{name} cannot be {value}: a number from 1 on")
                setattr(size, name, value)
            if size.preferred_max_bytes > size.absolute_max_bytes:
                raise ConfigError(
                    f"preferred_max_bytes ({size.preferred_max_bytes}) cannot be more than "
                    f"absolute_max_bytes ({size.absolute_max_bytes})"
                )
            _set_value(orderer, "BatchSize", size)
        if timeout is not None:
            if not _DURATION.fullmatch(timeout) or not re.search(r"[1-9]", timeout):
                raise ConfigError(f"{timeout!r} is no duration: write 250ms, 2s or 1m30s")
            _set_value(orderer, "BatchTimeout", orderer_pb2.BatchTimeout(timeout=timeout))
        return self

    def set_acl(self, resource: str, policy: str | None) -> Self:
        """Who may use a resource, `event/Block` or `qscc/GetBlockByNumber` for instance.

        Args:
            resource: Fabric's name of it.
            policy: A policy of the channel, `/Channel/Application/Readers`, or the name of one
                in `Application`; None: Fabric's default again.
        """
        application = self._group("Application")
        acls = peer_pb2.ACLs()
        if "ACLs" in application.values:
            acls.MergeFromString(application.values["ACLs"].value)
        if policy is None:
            if resource not in acls.acls:
                raise ConfigError(f"There is no access rule for {resource!r}")
            del acls.acls[resource]
        else:
            self._check_policy(policy)
            acls.acls[resource].policy_ref = policy
        _set_value(application, "ACLs", acls)
        return self

    # --- orderers ------------------------------------------------------------------------------

    def add_orderer(
        self,
        host: str,
        port: int,
        *,
        msp_id: str,
        client_tls_certificate: bytes,
        server_tls_certificate: bytes,
        identity_certificate: bytes | None = None,
    ) -> Self:
        """Take an orderer into the consensus, and list it for clients.

        It starts, and joins with a configuration block (`AsyncOrdererAdmin.join`): better before,
        as a follower that has all blocks, than after. One at a time: Raft takes no more than one
        change in an update.

        Args:
            identity_certificate: BFT alone: of the identity with which it signs blocks, PEM.
        """
        self.add_consenter(
            host,
            port,
            msp_id=msp_id,
            client_tls_certificate=client_tls_certificate,
            server_tls_certificate=server_tls_certificate,
            identity_certificate=identity_certificate,
        )
        return self.list_orderer(host, port, msp_id=msp_id)

    def remove_orderer(self, host: str, port: int) -> Self:
        """Take an orderer out of the consensus and out of every list of endpoints."""
        return self.remove_consenter(host, port).unlist_orderer(host, port)

    def add_consenter(
        self,
        host: str,
        port: int,
        *,
        msp_id: str,
        client_tls_certificate: bytes,
        server_tls_certificate: bytes,
        identity_certificate: bytes | None = None,
    ) -> Self:
        """Take an orderer into the consensus alone; arguments as for `add_orderer`."""
        self._groups_of(msp_id, "Orderer")
        consenters.add(
            self._group("Orderer"),
            host,
            port,
            client_tls_certificate,
            server_tls_certificate,
            msp_id=msp_id,
            identity=identity_certificate,
        )
        return self

    def remove_consenter(self, host: str, port: int) -> Self:
        """Take an orderer out of the consensus alone; it stays listed."""
        consenters.remove(self._group("Orderer"), host, port)
        return self

    def list_orderer(self, host: str, port: int, *, msp_id: str) -> Self:
        """Let peers and clients of the channel turn to an orderer, too."""
        for group in self._groups_of(msp_id, "Orderer"):
            consenters.add_endpoint(group, f"{host}:{port}")
        return self

    def unlist_orderer(self, host: str, port: int) -> Self:
        """Let nobody turn to an orderer any more; it stays in the consensus."""
        for group in self._group("Orderer").groups.values():
            consenters.remove_endpoint(group, f"{host}:{port}")
        return self

    def replace_orderer_certificates(
        self,
        host: str,
        port: int,
        *,
        client_tls_certificate: bytes | None = None,
        server_tls_certificate: bytes | None = None,
        identity_certificate: bytes | None = None,
    ) -> Self:
        """Give an orderer other certificates; None leaves what is there.

        The identity is in the configuration with BFT alone. From the moment the update is in force
        the orderer is locked out until it is started again with them: one orderer at a time.
        """
        consenters.replace(
            self._group("Orderer"),
            host,
            port,
            client_tls=client_tls_certificate,
            server_tls=server_tls_certificate,
            identity=identity_certificate,
        )
        return self

    @property
    def consenters(self) -> list[tuple[str, int]]:
        """Host and port of each orderer in the consensus."""
        return consenters.addresses(self._group("Orderer"))

    # --- anything else -------------------------------------------------------------------------

    def set_json(self, text: str) -> Self:
        """All of it as somebody has changed its JSON, see `ChannelConfig.to_json`."""
        self._config = parse_config(self.config.with_json(text).serialized)
        return self

    # --- within --------------------------------------------------------------------------------

    def _group(self, name: str) -> Any:
        groups = self._config.channel_group.groups
        if name not in groups:
            raise ConfigError(
                f"The configuration of {self._original.channel_name} has no group {name}"
            )
        return groups[name]

    def _organizations(self, *sections: str) -> Iterator[tuple[str, str, Any]]:
        """Name of the group, MSP id, and group, of each organisation."""
        for section in sections or ("Application",):
            groups = self._config.channel_group.groups
            for name, group in groups[section].groups.items() if section in groups else ():
                msp = msp_of(group)
                if msp is not None:
                    yield name, msp.name, group

    def _groups_of(self, msp_id: str, *sections: str) -> list[Any]:
        found = [group for _, known, group in self._organizations(*sections) if known == msp_id]
        if not found:
            members = ", ".join(sorted({known for _, known, _ in self._organizations(*sections)}))
            raise ConfigError(
                f"{self._original.channel_name} has no {' or '.join(sections)} organisation "
                f"{msp_id}; it has {members}"
            )
        return found

    def _check_policy(self, reference: str) -> None:
        parts = reference.removeprefix("/").split("/")
        if not reference.startswith("/"):
            parts = ["Channel", "Application", *parts]
        group = self._config.channel_group if parts[0] == "Channel" else None
        for name in parts[1:-1]:
            group = group.groups[name] if group is not None and name in group.groups else None
        if group is None or len(parts) < 2 or parts[-1] not in group.policies:
            known = ", ".join(
                f"/Channel/Application/{name}"
                for name in sorted(self._group("Application").policies)
            )
            raise ConfigError(
                f"The channel has no policy {reference!r}; of its applications it has {known}"
            )


def _set_value(group: Any, name: str, message: Any) -> None:
    value = group.values[name]
    value.value = serialize(message)
    value.mod_policy = value.mod_policy or ADMINS


def _set_msp(group: Any, msp: Any) -> None:
    config = msp_config_pb2.MSPConfig.FromString(group.values["MSP"].value)
    config.config = serialize(msp)
    _set_value(group, "MSP", config)


def _check_revocation_list(pem: bytes) -> x509.CertificateRevocationList:
    try:
        return x509.load_pem_x509_crl(pem)
    except ValueError as error:
        raise ConfigError(
            "This is no certificate revocation list in PEM form (-----BEGIN X509 CRL-----)"
        ) from error


def issuer_of_list(revocations: x509.CertificateRevocationList) -> tuple[x509.Name, bytes]:
    """Name and key of the authority that made it."""
    try:
        extension = revocations.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
        key = extension.value.key_identifier or b""
    except x509.ExtensionNotFound:
        key = b""
    return revocations.issuer, key


def subject_key(certificate: x509.Certificate) -> bytes:
    """The identifier of its key, as those that it has issued name it."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except x509.ExtensionNotFound:
        return b""
    return extension.value.digest


def _check_root(pem: bytes) -> x509.Certificate:
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except (ValueError, x509.ExtensionNotFound) as error:
        raise ConfigError("This is no certificate of an authority in PEM form") from error
    if not constraints.value.ca or not subject_key(certificate):
        raise ConfigError(
            f"{certificate.subject.rfc4514_string()} is no certificate of an authority"
        )
    return certificate
