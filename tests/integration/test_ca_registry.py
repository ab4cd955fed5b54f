"""Identities, affiliations, certificates and revocation at a real fabric-ca-server, and beside
fabric-ca-client: what one writes, the other reads."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from integration.ca_help import ADMIN_SECRET, FabricCaClient, Server, ca_server
from medfab_gateway.ca import (
    AlreadyExistsError,
    AlreadyRegisteredError,
    AlreadyRevokedError,
    AsyncCertificateAuthority,
    AttributeRequest,
    AuthenticationFailedError,
    AuthorizationFailedError,
    CertificateId,
    Credential,
    Enrollment,
    IdentityLockedError,
    InvalidRequestError,
    KeyAlgorithm,
    NotFoundError,
    RegisteredIdentity,
    RevocationList,
    RevocationListError,
    RevocationReason,
    Subject,
    signing_request,
)
from medfab_gateway.identity import private_key_signer
from medfab_network._binaries import Binaries

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server(binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    flags = (
        "--cfg.identities.allowremove",
        "--cfg.affiliations.allowremove",
        "--cfg.identities.passwordattempts=3",
    )
    with ca_server(binaries, tmp_path_factory.mktemp("ca"), *flags) as running:
        yield running


@pytest_asyncio.fixture
async def ca(server: Server) -> AsyncIterator[AsyncCertificateAuthority]:
    async with server.client() as client:
        yield client


@pytest_asyncio.fixture
async def admin(ca: AsyncCertificateAuthority) -> Enrollment:
    return await ca.enroll("admin", ADMIN_SECRET)


@pytest.fixture
def official(
    server: Server, binaries: Binaries, admin: Enrollment, tmp_path: Path
) -> FabricCaClient:
    """fabric-ca-client, acting for the admin that ours has enrolled."""
    client = server.fabric_ca_client(binaries, tmp_path / "official")
    client.act_for(admin.certificate, admin.private_key)
    return client


def new_id(prefix: str = "dr") -> str:
    return f"{prefix}-{secrets.token_hex(4)}"


async def enrolled(ca: AsyncCertificateAuthority, admin: Enrollment, name: str) -> Enrollment:
    return await ca.enroll(name, await ca.register(admin.credential, name))


async def test_of_registrations_at_the_same_moment_one_counts(
    ca: AsyncCertificateAuthority, admin: Enrollment
) -> None:
    """The server looks first whether the id is free, then writes: all may find it free."""
    for _ in range(10):
        name = new_id()
        done = await asyncio.gather(
            *(ca.register(admin.credential, name, secret="the same") for _ in range(8)),
            return_exceptions=True,
        )
        assert done.count("the same") == 1, done
        assert sum(isinstance(each, AlreadyRegisteredError) for each in done) == 7, done
        await ca.enroll(name, "the same")


async def test_an_identity_from_registration_to_removal(
    ca: AsyncCertificateAuthority, admin: Enrollment
) -> None:
    me, name = admin.credential, new_id()
    await ca.register(
        me, name, affiliation="org1", attributes={"role": ("nurse", True), "ward": ("3", False)}
    )
    found = await ca.identities.get(me, name)
    assert found.attributes["role"] == ("nurse", True)
    assert found.attributes["ward"] == ("3", False)
    assert (found.type, found.affiliation, found.max_enrollments) == ("client", "org1", -1)
    assert found in await ca.identities.list(me)

    changed = await ca.identities.modify(
        me,
        name,
        affiliation=".",
        type="admin",
        attributes={"role": ("doctor", True), "ward": None, "team": ("a", False)},
        max_enrollments=2,
        secret="another",
    )
    assert (changed.type, changed.affiliation, changed.max_enrollments) == ("admin", "", 2)
    assert "ward" not in changed.attributes
    assert changed.attributes["role"] == ("doctor", True)
    assert changed.attributes["team"] == ("a", False)
    assert await ca.identities.get(me, name) == changed
    await ca.enroll(name, "another")

    # 0 is none at all, and no change is no change.
    assert (await ca.identities.modify(me, name)).max_enrollments == 2
    assert (await ca.identities.modify(me, name, max_enrollments=0)).max_enrollments == 0

    removed = await ca.identities.remove(me, name)
    assert removed.enrollment_id == name
    with pytest.raises(NotFoundError, match="case-sensitive"):
        await ca.identities.get(me, name)


async def test_both_clients_see_the_same_identities(
    ca: AsyncCertificateAuthority, admin: Enrollment, official: FabricCaClient
) -> None:
    mine, theirs = new_id(), new_id()
    await ca.register(admin.credential, mine, attributes={"a": ("1", True)}, max_enrollments=7)
    official("identity", "add", theirs, "--type", "peer", "--attrs", "b=2:ecert")
    listed = official("identity", "list")
    by_official = {
        match["id"]: match
        for match in re.finditer(
            r"^Name: (?P<id>\S+), Type: (?P<type>\w*), Affiliation: (?P<affiliation>[\w.]*), "
            r"Max Enrollments: (?P<max>-?\d+)",
            listed,
            re.MULTILINE,
        )
    }
    by_ours = {each.enrollment_id: each for each in await ca.identities.list(admin.credential)}
    assert set(by_ours) == set(by_official) >= {mine, theirs, "admin"}
    for name, match in by_official.items():
        identity = by_ours[name]
        assert (identity.type, identity.affiliation) == (match["type"], match["affiliation"])
        assert identity.max_enrollments == int(match["max"])
    assert by_ours[theirs].attributes["b"] == ("2", True)
    official("identity", "modify", mine, "--attrs", "a=3")
    assert (await ca.identities.get(admin.credential, mine)).attributes["a"] == ("3", False)
    official("identity", "remove", mine)
    with pytest.raises(NotFoundError):
        await ca.identities.get(admin.credential, mine)
    await ca.identities.remove(admin.credential, theirs)
    assert theirs not in official("identity", "list")


async def test_affiliations(
    ca: AsyncCertificateAuthority, admin: Enrollment, official: FabricCaClient
) -> None:
    me, top = admin.credential, f"h{secrets.token_hex(3)}"
    with pytest.raises(NotFoundError, match="parent"):
        await ca.affiliations.add(me, f"{top}.ward.night")
    await ca.affiliations.add(me, f"{top}.ward.night", force=True)
    with pytest.raises(AlreadyExistsError):
        await ca.affiliations.add(me, f"{top}.ward")
    added = await ca.affiliations.add(me, f"{top}.lab")
    assert added.name == f"{top}.lab"
    tree = await ca.affiliations.get(me, top)
    assert tree.names() == (top, f"{top}.lab", f"{top}.ward", f"{top}.ward.night")
    listed = await ca.affiliations.list(me)
    assert set(tree.names()) < set(listed.names())
    theirs = re.findall(r"affiliation: (\S+)", official("affiliation", "list"))
    assert sorted(listed.names()) == sorted(name for name in theirs if name != ".")

    name = new_id()
    await ca.register(me, name, affiliation=f"{top}.ward")
    with pytest.raises(InvalidRequestError, match="use force"):
        await ca.affiliations.rename(me, f"{top}.ward", f"{top}.station")
    await ca.affiliations.rename(me, f"{top}.ward", f"{top}.station", force=True)
    assert (await ca.identities.get(me, name)).affiliation == f"{top}.station"
    with pytest.raises(AuthorizationFailedError, match="force"):
        await ca.affiliations.remove(me, top)
    removed = await ca.affiliations.remove(me, top, force=True)
    assert f"{top}.station.night" in removed.names()
    station = removed.find(f"{top}.station")
    assert station is not None
    assert [each.enrollment_id for each in station.identities] == [name]
    with pytest.raises(NotFoundError):
        await ca.identities.get(me, name)
    with pytest.raises(NotFoundError):
        await ca.affiliations.get(me, top)
    with pytest.raises(NotFoundError):
        await ca.affiliations.rename(me, top, "x")


async def test_a_revoked_identity_is_out_and_in_the_crl(
    ca: AsyncCertificateAuthority, admin: Enrollment, server: Server, official: FabricCaClient
) -> None:
    me, name = admin.credential, new_id()
    secret = await ca.register(me, name)
    first, second = await ca.enroll(name, secret), await ca.enroll(name, secret)
    other = await enrolled(ca, admin, new_id())
    done = await ca.identities.revoke(
        me, name, reason=RevocationReason.KEY_COMPROMISE, with_list=True
    )
    ids = {CertificateId.of(each.certificate) for each in (first, second)}
    assert set(done.certificates) == ids
    assert done.revocation_list is not None
    crl = RevocationList(done.revocation_list)
    crl.verify(server.tls_root)
    assert all(each.serial_number in crl for each in ids)
    assert CertificateId.of(other.certificate).serial_number not in crl
    assert not crl.is_overdue()
    with pytest.raises(AuthenticationFailedError, match="revoked"):
        await ca.reenroll(first.credential)
    with pytest.raises(AuthenticationFailedError):
        await ca.enroll(name, secret)
    again = await ca.identities.revoke(me, name, with_list=True)
    assert (again.certificates, again.revocation_list) == ((), None)

    # The official client's list is the same, and so is what either reads in the other's.
    official("gencrl")
    theirs = RevocationList((official.home / "msp" / "crls" / "crl.pem").read_bytes())
    ours = RevocationList(await ca.certificates.revocation_list(me))
    assert theirs.certificates == ours.certificates
    assert (theirs.issuer, theirs.authority_key_id) == (ours.issuer, ours.authority_key_id)
    with pytest.raises(RevocationListError, match="not signed by"):
        ours.verify(other.certificate)


async def test_one_certificate_is_revoked(
    ca: AsyncCertificateAuthority, admin: Enrollment, official: FabricCaClient
) -> None:
    me, name = admin.credential, new_id()
    secret = await ca.register(me, name)
    old, new = await ca.enroll(name, secret), await ca.enroll(name, secret)
    which = CertificateId.of(old.certificate)
    done = await ca.certificates.revoke(me, which, reason=RevocationReason.SUPERSEDED)
    assert done.certificates == (which,)
    with pytest.raises(AuthenticationFailedError):
        await ca.reenroll(old.credential)
    await ca.reenroll(new.credential)
    with pytest.raises(AlreadyRevokedError):
        await ca.certificates.revoke(me, which)
    with pytest.raises(NotFoundError, match="serial number"):
        await ca.certificates.revoke(
            me, CertificateId(serial_number=1, authority_key_id=which.authority_key_id)
        )
    theirs = CertificateId.of(new.certificate)
    official(
        "revoke", f"--revoke.serial={theirs.serial_text}", f"--revoke.aki={theirs.authority_key_id}"
    )
    with pytest.raises(AlreadyRevokedError):
        await ca.certificates.revoke(me, theirs)


async def test_certificates_by_filter(
    ca: AsyncCertificateAuthority, admin: Enrollment, official: FabricCaClient, tmp_path: Path
) -> None:
    me, name = admin.credential, new_id()
    secret = await ca.register(me, name)
    old, new = await ca.enroll(name, secret), await ca.enroll(name, secret)
    await ca.certificates.revoke(me, CertificateId.of(old.certificate))

    async def found(**filters: object) -> set[bytes]:
        listed = await ca.certificates.list(me, enrollment_id=name, **filters)  # type: ignore[arg-type]
        return {pem.strip() for pem in listed}

    a, b = old.certificate.strip(), new.certificate.strip()
    now, year = datetime.now(UTC), timedelta(days=365)
    assert await found() == {a, b}
    assert await found(revoked=False) == {b}
    assert await found(revoked=True) == {a}
    assert await found(expired=False) == {a, b}
    assert await found(expired=True) == set()
    assert await found(expire_after=now, expire_before=now + 2 * year) == {a, b}
    assert await found(expire_before=now + timedelta(days=30)) == set()
    assert await found(expire_before=now + 2 * year, revoked=False) == {b}
    assert await found(revoked_after=now - timedelta(hours=1)) == {a}
    assert await found(revoked_before=now - timedelta(hours=1)) == set()
    which = CertificateId.of(new.certificate)
    assert await found(
        serial_number=which.serial_number, authority_key_id=which.authority_key_id
    ) == {b}
    with pytest.raises(InvalidRequestError, match="contradict"):
        await found(expired=False, expire_before=now)
    official("certificate", "list", "--id", name, "--store", str(tmp_path / "certs"))
    stored = {file.read_bytes().strip() for file in (tmp_path / "certs").iterdir()}
    assert stored == {a, b}


async def test_crl_filters(ca: AsyncCertificateAuthority, admin: Enrollment) -> None:
    me, name = admin.credential, new_id()
    revoked = await enrolled(ca, admin, name)
    await ca.identities.revoke(me, name)
    serial = CertificateId.of(revoked.certificate).serial_number
    now = datetime.now(UTC)
    recent = await ca.certificates.revocation_list(me, revoked_after=now - timedelta(hours=1))
    assert serial in RevocationList(recent)
    old = await ca.certificates.revocation_list(me, revoked_before=now - timedelta(hours=1))
    assert serial not in RevocationList(old)
    with pytest.raises(InvalidRequestError, match="revoked_after"):
        await ca.certificates.revocation_list(
            me, revoked_after=now, revoked_before=now - timedelta(hours=1)
        )


async def test_who_may_not(ca: AsyncCertificateAuthority, admin: Enrollment) -> None:
    client = (await enrolled(ca, admin, new_id())).credential
    for call in (
        ca.identities.list(client),
        ca.identities.get(client, "admin"),
        ca.identities.revoke(client, "admin"),
        ca.identities.remove(client, "admin"),
        ca.affiliations.list(client),
        ca.certificates.list(client),
        ca.certificates.revocation_list(client),
    ):
        with pytest.raises(AuthorizationFailedError, match=r"hf\.Revoker"):
            await call
    # Oneself can always be revoked.
    own = CertificateId.of(client.certificate)
    assert (await ca.certificates.revoke(client, own)).certificates == (own,)


async def test_unknown_things_are_named(ca: AsyncCertificateAuthority, admin: Enrollment) -> None:
    me = admin.credential
    for call in (
        ca.identities.get(me, "nobody"),
        ca.identities.modify(me, "nobody", type="peer"),
        ca.identities.remove(me, "nobody"),
        ca.identities.revoke(me, "nobody"),
        ca.affiliations.get(me, "nowhere"),
        ca.affiliations.remove(me, "nowhere"),
    ):
        with pytest.raises(NotFoundError, match=r"[Ll]ist"):
            await call
    with pytest.raises(InvalidRequestError, match="parent"):
        await ca.identities.modify(me, "admin", affiliation="nowhere")
    with pytest.raises(InvalidRequestError, match=r"signing\.profiles"):
        await ca.reenroll(me, profile="nope")
    with pytest.raises(InvalidRequestError, match="optional"):
        await ca.reenroll(me, attribute_requests=[AttributeRequest(name="absent")])
    with pytest.raises(InvalidRequestError, match="too long"):
        await ca.reenroll(me, subject=Subject(organization="x" * 65))


async def test_oneself_is_removed_by_force_only(
    ca: AsyncCertificateAuthority, admin: Enrollment
) -> None:
    name = new_id()
    secret = await ca.register(
        admin.credential, name, attributes={"hf.Registrar.Roles": ("client", False)}
    )
    me = (await ca.enroll(name, secret)).credential
    with pytest.raises(AuthorizationFailedError, match="oneself force"):
        await ca.identities.remove(me, name)
    await ca.identities.remove(me, name, force=True)


async def test_too_many_wrong_secrets_lock_until_a_new_one(
    ca: AsyncCertificateAuthority, admin: Enrollment
) -> None:
    name = new_id()
    right = await ca.register(admin.credential, name)
    for _ in range(3):
        with pytest.raises(AuthenticationFailedError):
            await ca.enroll(name, "wrong")
    with pytest.raises(IdentityLockedError, match="new secret"):
        await ca.enroll(name, right)
    await ca.identities.modify(admin.credential, name, secret="fresh")
    await ca.enroll(name, "fresh")


async def test_csr_fields_and_kinds_of_keys(
    ca: AsyncCertificateAuthority, admin: Enrollment
) -> None:
    name = new_id()
    secret = await ca.register(admin.credential, name)
    subject = Subject(
        country="CH", state="ZH", locality="Zürich", organization="H", serial_number="7"
    )
    made = await ca.enroll(name, secret, subject=subject, key=KeyAlgorithm.P384, hosts=["a.b"])
    certificate = x509.load_pem_x509_certificate(made.certificate)
    text = certificate.subject.rfc4514_string()
    for part in ("C=CH", "ST=ZH", "L=Zürich", "O=H", "2.5.4.5=7", f"CN={name}", "OU=client"):
        assert part in text
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp384r1"
    assert (await ca.reenroll(made.credential)).certificate  # its tokens are accepted


async def test_renewal_over_the_old_key(ca: AsyncCertificateAuthority, admin: Enrollment) -> None:
    name = new_id()
    old = await enrolled(ca, admin, name)
    public = x509.load_pem_x509_certificate(old.certificate).public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    request = signing_request(public, private_key_signer(old.private_key), common_name=name)
    renewed = await ca.reenroll_request(old.credential, request)
    certificate = x509.load_pem_x509_certificate(renewed.certificate)
    assert certificate.public_key() == public
    assert renewed.certificate != old.certificate


def test_the_blocking_client_does_the_same(server: Server) -> None:
    with server.blocking_client() as ca:
        me = ca.enroll("admin", ADMIN_SECRET).credential
        name = new_id()
        secret = ca.register(me, name)
        someone = ca.enroll(name, secret)
        assert ca.reenroll(someone.credential).certificate != someone.certificate
        assert isinstance(ca.identities.get(me, name), RegisteredIdentity)
        assert "org1" in ca.affiliations.list(me).names()
        assert len(ca.certificates.list(me, enrollment_id=name)) == 2
        assert len(ca.identities.revoke(me, name).certificates) == 2
        assert RevocationList(ca.certificates.revocation_list(me)).certificates
        with pytest.raises(AuthenticationFailedError):
            ca.reenroll(Credential(certificate=someone.certificate, signer=me.signer))
        assert json.dumps(repr(ca)).startswith('"CertificateAuthority(')
