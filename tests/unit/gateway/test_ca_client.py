"""The CA client's requests and errors; what a real server says is in tests/integration."""

from __future__ import annotations

import base64
import json
import socket
import ssl

import pytest
import trustme

from medfab_gateway.ca import (
    AlreadyExistsError,
    AlreadyRegisteredError,
    AlreadyRevokedError,
    AsyncCertificateAuthority,
    AttributeRequest,
    AuthenticationFailedError,
    AuthorityFailedError,
    AuthorizationFailedError,
    CertificateAuthorityError,
    CertificateAuthorityTlsError,
    CertificateAuthorityUnreachableError,
    Credential,
    IdentityLockedError,
    InvalidRequestError,
    NotFoundError,
)
from medfab_gateway.ca._error_codes import refused
from medfab_gateway.errors import MedfabError
from unit.gateway.https_server import Answer, Request, https_server

CREDENTIAL = Credential(certificate=b"CERT", signer=lambda digest: b"SIGNATURE")


def success(result: object) -> Answer:
    envelope = {"result": result, "errors": [], "messages": [], "success": True}
    return Answer(201, json.dumps(envelope).encode())


def failure(status: int, code: int, message: str) -> Answer:
    errors = [{"code": code, "message": message}]
    envelope = {"result": "", "errors": errors, "messages": [], "success": False}
    return Answer(status, json.dumps(envelope).encode())


def base64_text(data: bytes) -> str:
    return base64.b64encode(data).decode()


ENROLLED = success(
    {
        "Cert": base64_text(b"NEW CERT"),
        "ServerInfo": {"CAName": "ca", "CAChain": base64_text(b"CHAIN"), "Version": ""},
    }
)


async def call(answer: Answer | None, *, timeout: float = 5.0) -> Request:
    """Register against one canned answer, and return what was asked."""
    async with (
        https_server(lambda _: answer) as server,
        AsyncCertificateAuthority(
            server.url, ca_name="ca", tls_root_certificates=server.tls_root, timeout=timeout
        ) as ca,
    ):
        await ca.register(
            CREDENTIAL,
            "dr-who",
            type="admin",
            affiliation=".",
            attributes={"role": ("x", True)},
            secret="s3cret",
            max_enrollments=-1,
        )
        [request] = server.requests
        return request


async def test_register_sends_what_fabric_ca_reads() -> None:
    request = await call(success({"secret": "s3cret"}))
    assert (request.method, request.target) == ("POST", "/api/v1/register")
    assert json.loads(request.body) == {
        "id": "dr-who",
        "type": "admin",
        "affiliation": ".",
        "attrs": [{"name": "role", "value": "x", "ecert": True}],
        "secret": "s3cret",
        "max_enrollments": -1,
        "caname": "ca",
    }
    assert request.headers["authorization"] == f"{base64_text(b'CERT')}.{base64_text(b'SIGNATURE')}"


async def test_enroll_authenticates_by_id_and_secret() -> None:
    async with (
        https_server(lambda _: ENROLLED) as server,
        AsyncCertificateAuthority(server.url, tls_root_certificates=server.tls_root) as ca,
    ):
        enrollment = await ca.enroll(
            "dr-who",
            "s3:cret",
            hosts=["a", "b"],
            profile="tls",
            attribute_requests=[AttributeRequest(name="role", optional=True)],
        )
        assert enrollment.certificate == b"NEW CERT"
        assert enrollment.ca_chain == b"CHAIN"
        [request] = server.requests
        body = json.loads(request.body)
        assert request.headers["authorization"] == f"Basic {base64_text(b'dr-who:s3:cret')}"
        assert body["certificate_request"].startswith("-----BEGIN CERTIFICATE REQUEST-----")
        assert (body["profile"], body["hosts"]) == ("tls", ["a", "b"])
        assert body["attr_reqs"] == [{"name": "role", "optional": True}]
        assert "caname" not in body
        assert "s3:cret" not in request.body.decode()


async def test_no_attribute_requests_and_an_empty_list_differ() -> None:
    async with (
        https_server(lambda _: ENROLLED) as server,
        AsyncCertificateAuthority(server.url, tls_root_certificates=server.tls_root) as ca,
    ):
        await ca.enroll("a", "b")
        await ca.enroll("a", "b", attribute_requests=[])
        default, none = (json.loads(request.body) for request in server.requests)
        assert "attr_reqs" not in default
        assert none["attr_reqs"] == []


async def test_cainfo_asks_for_its_ca() -> None:
    info = {"CAName": "ca x", "CAChain": base64_text(b"CHAIN"), "Version": "1.5.21"}
    async with (
        https_server(lambda _: success(info)) as server,
        AsyncCertificateAuthority(
            server.url + "/", ca_name="ca x", tls_root_certificates=server.tls_root
        ) as ca,
    ):
        answer = await ca.cainfo()
        assert (answer.ca_name, answer.ca_chain, answer.version) == ("ca x", b"CHAIN", "1.5.21")
        assert server.requests[0].target == "/api/v1/cainfo?ca=ca+x"


@pytest.mark.parametrize(
    ("status", "code", "error_type"),
    [
        (401, 20, AuthenticationFailedError),
        (401, 73, IdentityLockedError),
        (403, 71, AuthorizationFailedError),
        (403, 77, InvalidRequestError),
        (404, 19, NotFoundError),
        (404, 16, NotFoundError),
        (500, 16, AuthorityFailedError),
        (404, 66, AlreadyRevokedError),
        (409, 74, AlreadyRegisteredError),
        (409, 60, AlreadyExistsError),
        (400, 60, InvalidRequestError),
        (500, 0, AuthorityFailedError),
        (418, 99, CertificateAuthorityError),
    ],
)
async def test_codes_become_types(
    status: int, code: int, error_type: type[CertificateAuthorityError]
) -> None:
    with pytest.raises(error_type) as caught:
        await call(failure(status, code, "their words"))
    error = caught.value
    assert isinstance(error, MedfabError)
    assert type(error) is error_type
    assert (error.code, error.status, error.message) == (code, status, "their words")
    for part in ("Cannot register 'dr-who'", error.url, "their words", f"code {code}"):
        assert part in str(error)


@pytest.mark.parametrize("code", range(83))
def test_every_code_of_the_server_has_a_type_and_advice(code: int) -> None:
    """0 to 82 are all that lib/caerrors of Fabric CA 1.5.21 has."""
    error = refused("Cannot", url="https://ca", code=code, message="m", status=500)
    assert type(error) is not CertificateAuthorityError
    assert len(str(error).partition("HTTP 500). ")[2]) > 20


@pytest.mark.parametrize(
    "message",
    [
        "The following required attributes are missing: [ward]",
        "Failed to find requested attributes: The following required attributes are missing: [x]",
        "Invalid profile: 'tsl'",
    ],
)
def test_where_the_server_has_no_code_its_words_decide(message: str) -> None:
    error = refused("Cannot", url="https://ca", code=0, message=message, status=500)
    assert type(error) is InvalidRequestError


def test_an_id_that_another_has_taken_at_the_same_moment() -> None:
    """As the server said it when two runs of `medfab network up` registered one node."""
    message = (
        "Registration of 'peer0' failed: Error adding identity 'peer0' to the database: "
        "UNIQUE constraint failed: users.id"
    )
    error = refused("Cannot", url="https://ca", code=0, message=message, status=500)
    assert type(error) is AlreadyRegisteredError


async def test_a_secret_that_the_server_quotes_is_not_repeated() -> None:
    with pytest.raises(CertificateAuthorityError) as caught:
        await call(failure(400, 5, 'Invalid request body; body={"secret":"s3cret"}'))
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in caught.value.message


@pytest.mark.parametrize("body", [b"<html>", b"{}", b"[]", b'{"success":false,"errors":[]}'])
async def test_an_answer_of_something_else_says_so(body: bytes) -> None:
    with pytest.raises(CertificateAuthorityError, match="HTTP 502 without the answer") as caught:
        await call(Answer(502, body))
    assert caught.value.code is None


@pytest.mark.parametrize("result", [{}, {"secret": 1}, "text"])
async def test_a_missing_field_is_named(result: object) -> None:
    with pytest.raises(CertificateAuthorityError, match="Field secret is missing"):
        await call(success(result))


async def test_no_answer_in_time() -> None:
    with pytest.raises(CertificateAuthorityUnreachableError, match="no answer in time") as caught:
        await call(None, timeout=0.2)
    assert not isinstance(caught.value, CertificateAuthorityTlsError)


async def test_nobody_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"https://localhost:{unused.getsockname()[1]}"
        root = trustme.CA().cert_pem.bytes()
        async with AsyncCertificateAuthority(url, tls_root_certificates=root) as ca:
            with pytest.raises(CertificateAuthorityUnreachableError, match="listening") as caught:
                await ca.cainfo()
    assert url in str(caught.value)


async def test_a_foreign_root_sends_nothing() -> None:
    foreign = trustme.CA().cert_pem.bytes()
    async with (
        https_server(lambda _: ENROLLED) as server,
        AsyncCertificateAuthority(server.url, tls_root_certificates=foreign) as ca,
    ):
        with pytest.raises(CertificateAuthorityTlsError, match="not accepted"):
            await ca.enroll("admin", "s3cret")
        assert server.requests == []


async def test_a_wrong_host_is_a_tls_error() -> None:
    async with https_server(lambda _: ENROLLED) as server:
        url = server.url.replace("localhost", "127.0.0.1")
        async with AsyncCertificateAuthority(url, tls_root_certificates=server.tls_root) as ca:
            with pytest.raises(CertificateAuthorityTlsError, match="among its names"):
                await ca.cainfo()


def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:1")
    monkeypatch.setenv("SSL_CERT_FILE", ssl.get_default_verify_paths().openssl_cafile)
    root = trustme.CA().cert_pem.bytes()
    ca = AsyncCertificateAuthority("https://localhost:1", tls_root_certificates=root)
    assert not ca._rest._client.trust_env


@pytest.mark.parametrize("root", [b"", b"/path/ca.pem", b"\xff", b"-----BEGIN CERTIFICATE-----"])
def test_roots_that_are_no_pem(root: bytes) -> None:
    with pytest.raises(ValueError, match="tls_root_certificates"):
        AsyncCertificateAuthority("https://localhost:1", tls_root_certificates=root)


def test_plain_http_is_refused() -> None:
    with pytest.raises(ValueError, match="https://"):
        AsyncCertificateAuthority("http://localhost:7054", tls_root_certificates=b"")


def test_the_repr_is_short() -> None:
    root = trustme.CA().cert_pem.bytes()
    ca = AsyncCertificateAuthority("https://a:1", ca_name="ca", tls_root_certificates=root)
    assert repr(ca) == "AsyncCertificateAuthority('https://a:1', ca_name='ca')"


@pytest.mark.parametrize("enrollment_id", ["", "a:b", "a" * 65])
async def test_ids_that_could_never_enroll(enrollment_id: str) -> None:
    root = trustme.CA().cert_pem.bytes()
    async with AsyncCertificateAuthority("https://a:1", tls_root_certificates=root) as ca:
        with pytest.raises(ValueError, match="cannot be an enrollment id"):
            await ca.enroll(enrollment_id, "secret")
        with pytest.raises(ValueError, match="cannot be an enrollment id"):
            await ca.register(CREDENTIAL, enrollment_id)
