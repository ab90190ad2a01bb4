"""Clients that do not keep to HTTP, or do so very slowly, against a service that runs. Others are served all the while."""

import json
import re
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from http.client import HTTPConnection

import pytest

from tenfold import Reader

PATIENCE_S = 60
MEGABYTE = 2**20
LIMIT, DISCARDED = MEGABYTE, 32 * MEGABYTE  # of the service `live`


@pytest.fixture
def connect(live) -> Iterator:
    """Open connections; when the test ends they are closed."""
    with ExitStack() as stack:

        def begin(sent: bytes = b"") -> socket.socket:
            made = stack.enter_context(socket.create_connection((live.host, live.port), PATIENCE_S))
            made.sendall(sent)
            return made

        yield begin


@pytest.fixture(autouse=True)
def still_serves(live, png: bytes) -> Iterator[None]:
    """After whatever a test does, the next request succeeds, and memory stays bounded."""
    before = live.memory()
    yield
    assert ask(live, png) == 200
    assert live.memory() - before < 100 * MEGABYTE


def ask(live, png: bytes) -> int:
    connection = HTTPConnection(live.host, live.port, timeout=PATIENCE_S)
    connection.request("POST", "/read", png, {"content-type": "image/png"})
    with connection.getresponse() as answer:
        assert answer.status != 200 or json.load(answer)["text"] == "42"
    connection.close()
    return answer.status


def head(live, *lines: str, path: str = "/read") -> bytes:
    return "\r\n".join(
        [f"POST {path} HTTP/1.1", f"Host: localhost:{live.port}", "Content-Type: image/png", *lines, "", ""]
    ).encode()


def answered(connection: socket.socket) -> tuple[int, dict[str, object]]:
    """The status and the JSON of an answer, and not a byte of the next one."""
    head = exactly(connection, 1)
    while not head.endswith(b"\r\n\r\n"):
        head += exactly(connection, 1)
    length = re.search(rb"(?i)content-length: (\d+)", head)
    assert length
    return int(head.split()[1]), json.loads(exactly(connection, int(length[1])))


def exactly(connection: socket.socket, n: int) -> bytes:
    found = b""
    while len(found) < n:
        part = connection.recv(n - len(found))
        assert part, "hung up on"
        found += part
    return found


def rest(connection: socket.socket) -> bytes:
    """All that comes until the service closes the connection."""
    found = b""
    with suppress(ConnectionResetError):
        while part := connection.recv(65536):
            found += part
    return found


class Flood(threading.Thread):
    """Sends the same bytes until it cannot any more."""

    def __init__(self, connection: socket.socket, part: bytes) -> None:
        super().__init__(daemon=True)
        self._connection, self._part, self.n_bytes = connection, part, 0
        self.start()

    def run(self) -> None:
        with suppress(OSError):
            while True:
                self._connection.sendall(self._part)
                self.n_bytes += len(self._part)


CHUNK = b"10000\r\n" + b"x" * 65536 + b"\r\n"


@pytest.mark.parametrize("path", ["/read", "/v2/models/digits/infer", "/explain", "/nothing", "/v2"])
def test_an_endless_body_is_refused_while_it_is_still_sent_and_then_cut_off(live, connect, path: str) -> None:
    """Fault 37."""
    connection = connect(head(live, "Transfer-Encoding: chunked", path=path))
    flood = Flood(connection, CHUNK)
    status, said = answered(connection)
    assert status == {"/read": 413, "/nothing": 404, "/v2": 405}.get(path, 415)
    assert "error" in said
    rest(connection)
    flood.join(PATIENCE_S)
    assert not flood.is_alive()
    assert flood.n_bytes < LIMIT + DISCARDED + 16 * MEGABYTE  # what lies in buffers on the way


def test_a_client_that_sends_all_before_it_reads_sees_why_it_was_refused(live) -> None:
    connection = HTTPConnection(live.host, live.port, timeout=PATIENCE_S)
    for close in ({}, {"connection": "close"}):
        connection.request("POST", "/read", b"x" * (24 * MEGABYTE), {"content-type": "image/png"} | close)
        with connection.getresponse() as answer:
            assert answer.status == 413
            assert "1,048,576 bytes" in json.load(answer)["error"]["message"]
    connection.close()


def test_two_lengths_of_one_body_are_refused_and_nothing_after_it_is_a_request(live, connect) -> None:
    smuggled = f"GET /metrics HTTP/1.1\r\nHost: localhost:{live.port}\r\n\r\n".encode()
    connection = connect(head(live, "Transfer-Encoding: chunked", "Content-Length: 4") + b"0\r\n\r\n" + smuggled)
    status, said = answered(connection)
    assert (status, said["error"]["code"]) == (400, "bad_header")
    assert rest(connection) == b""


def test_a_client_that_asks_before_it_sends_need_not_send(live, connect) -> None:
    connection = connect(head(live, f"Content-Length: {6 * MEGABYTE}", "Expect: 100-continue", "Connection: close"))
    assert answered(connection)[0] == 413
    assert rest(connection) == b""


@pytest.mark.parametrize(
    "lines",
    [
        ["Content-Length: -1"],
        ["Content-Length: +5"],
        ["Content-Length: 0x10"],
        ["Content-Length: 5", "Content-Length: 6"],
        ["Content-Length: 5, 6"],
        ["Content-Length: "],
        ["Content-Length: 99999999999999999999999999"],
        ["Transfer-Encoding: chunked, gzip"],
        ["Transfer-Encoding: gzip"],
        ["Header without colon"],
        ["Bad\0: x"],
        ["Host: other"],
    ],
)
def test_a_request_that_is_none_is_refused(live, connect, lines: list[str]) -> None:
    """Fault 38."""
    connection = connect(head(live, *lines))
    status, said = answered(connection)
    assert status in (400, 413)
    assert isinstance(said["error"], dict)


def test_a_refused_request_has_an_id_and_the_version_of_the_model_too(live, connect) -> None:
    said = rest(connect(b"nonsense\r\n\r\n")).decode().lower()
    assert re.search(r"x-request-id: [0-9a-f]{16}\r\n", said)
    assert f"x-model-version: {Reader(threads=1).model.metadata['version']}\r\n" in said


TWO_LENGTHS = ["Content-Length: 5", "Content-Length: 6"]
BAD_CHUNK = ["Transfer-Encoding: chunked", "", "no length"]


@pytest.mark.parametrize(
    ("lines", "status", "why"),
    [
        (["Content-Length: -1"], 400, "not a valid HTTP request"),
        (TWO_LENGTHS, 400, "not a valid HTTP request"),
        (BAD_CHUNK, 400, "not a valid HTTP request"),
        ([f"X: {'x' * MEGABYTE}"], 431, "headers larger than 65,536 bytes"),
    ],
    ids=["negative", "two lengths", "chunk", "too large"],
)
@pytest.mark.parametrize(
    ("path", "of_protocol"),
    [
        ("/v2", True),
        ("/v2/models/digits/infer?a=/read", True),
        ("/%762/models/digits/infer", True),
        ("http://localhost/v2/models/digits/infer", True),
        ("HTTP://localhost/read", False),
        ("/read?a=/v2/models", False),
        ("/v2x", False),
    ],
)
def test_a_request_that_is_none_is_refused_in_the_form_of_its_path(
    live, connect, lines: list[str], status: int, why: str, path: str, of_protocol: bool
) -> None:
    found, said = answered(connect(head(live, *lines, path=path)))
    code = {400: "bad_request", 431: "headers_too_large"}[status]
    assert (found, said["error"]) == (status, why if of_protocol else {"code": code, "message": why})


def test_of_two_requests_on_one_connection_each_has_the_form_of_its_own_path(live, connect) -> None:
    whole = f"GET /v2/health/live HTTP/1.1\r\nHost: localhost:{live.port}\r\n\r\n".encode()
    connection = connect(whole + head(live, *TWO_LENGTHS))
    assert answered(connection)[0] == 200
    assert answered(connection)[1]["error"]["code"] == "bad_request"


def logged(live) -> list[dict[str, object]]:
    """All that is logged by now."""
    mark = secrets.token_hex(4)
    connection = HTTPConnection(live.host, live.port, timeout=PATIENCE_S)
    connection.request("GET", "/v2/health/live", headers={"x-request-id": mark})
    connection.getresponse().read()
    connection.close()
    while live.wait_for("request")["request_id"] != mark:
        pass
    return live.lines


def count(live, method: str, status: int) -> float:
    """How many such requests the metrics have that no route answered."""
    connection = HTTPConnection(live.host, live.port, timeout=PATIENCE_S)
    connection.request("GET", "/metrics")
    with connection.getresponse() as answer:
        told = answer.read().decode()
    connection.close()
    name = f'tenfold_requests_total{{method="{method}",route="other",status="{status}"}} '
    return sum(float(line.removeprefix(name)) for line in told.splitlines() if line.startswith(name))


@pytest.mark.parametrize(
    ("sent", "method", "status"),
    [
        (b"POST /read HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", "POST", 400),
        (b"BREW /secret HTTP/1.1\r\nHost: localhost\r\nX: " + bytes(MEGABYTE), "other", 431),
        (b"secret\r\n\r\n", "other", 400),
        (b"POST /secret HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nno length\r\n", "POST", 400),
    ],
    ids=["length", "too large", "no line", "chunk"],
)
def test_a_request_that_is_none_is_logged_and_counted_once(live, connect, sent: bytes, method: str, status: int) -> None:
    before, seen = count(live, method, status), len(logged(live))
    request_id = re.search(r"x-request-id: ([0-9a-f]{16})\r\n", rest(connect(sent)).decode().lower())[1]
    assert count(live, method, status) == before + 1
    lines = logged(live)[seen:]
    (line,) = [line for line in lines if line.get("request_id") == request_id]
    assert line.keys() == {"time", "level", "event", "request_id", "method", "route", "status", "ms", "bytes_in"}
    assert (line["event"], line["method"], line["route"], line["status"]) == ("request", method, "other", status)
    assert all(line["event"] == "request" for line in lines)  # no library adds a word to it
    assert "secret" not in str(lines)


def test_a_length_that_promises_too_much_ends_with_the_time_for_a_body(live, connect, png: bytes) -> None:
    """Fault 38."""
    connection = connect(head(live, f"Content-Length: {len(png) + 10}") + png)
    assert answered(connection)[0] == 408
    rest(connection)


def test_a_length_that_promises_too_little_cuts_the_picture_short(live, connect, png: bytes) -> None:
    """Fault 38: what is left over is no request."""
    connection = connect(head(live, f"Content-Length: {len(png) - 10}") + png)
    assert answered(connection)[0] == 400
    assert b"400 Bad Request" in rest(connection)


def test_a_client_that_leaves_in_the_middle_does_no_harm(live, connect, png: bytes) -> None:
    connect(head(live, f"Content-Length: {len(png)}") + png[:100]).close()
    connect(head(live, f"Content-Length: {len(png)}") + png).close()


@pytest.mark.parametrize("names", [1, 1000])
def test_headers_of_a_megabyte_are_refused(live, connect, names: int) -> None:
    """Fault 39."""
    lines = [f"X-{k}: {'x' * (MEGABYTE // names)}" for k in range(names)]
    status, said = answered(connect(head(live, *lines)))
    assert status == 431
    assert said["error"] == {"code": "headers_too_large", "message": "headers larger than 65,536 bytes"}


def test_endless_headers_are_cut_off(live, connect) -> None:
    connection = connect(b"GET / HTTP/1.1\r\nX: ")
    flood = Flood(connection, b"x" * 65536)
    assert b"431 Request Header Fields Too Large" in rest(connection)
    flood.join(PATIENCE_S)
    assert not flood.is_alive()


@pytest.mark.parametrize("begun", [b"", b"POST /re", b"POST /read HTTP/1.1\r\nHost: localhost\r\nX-Slow: "])
def test_who_never_finishes_the_headers_is_hung_up_on(connect, begun: bytes) -> None:
    """Fault 40."""
    assert rest(connect(begun)) == b""


def test_headers_that_come_byte_by_byte_gain_no_time(live, connect) -> None:
    """Fault 40."""
    connection = connect()
    connection.settimeout(0.2)
    received: list[bytes] = []
    with suppress(BrokenPipeError, ConnectionResetError):
        for _ in range(PATIENCE_S * 5):
            connection.sendall(b"G")
            with suppress(TimeoutError):
                received.append(connection.recv(1000))
                break
    assert received in ([], [b""])


def test_a_body_that_comes_byte_by_byte_gains_no_time(live, connect) -> None:
    """Fault 40."""
    connection = connect(head(live, "Content-Length: 1000"))
    connection.settimeout(0.2)
    for _ in range(PATIENCE_S * 5):
        connection.sendall(b"x")
        with suppress(TimeoutError):
            assert b"408 Request Timeout" in connection.recv(100_000)
            return
    pytest.fail("it still waits")


def test_an_idle_connection_is_closed(live, connect) -> None:
    connection = connect(f"GET /v2 HTTP/1.1\r\nHost: localhost:{live.port}\r\n\r\n".encode())
    assert answered(connection)[0] == 200
    assert rest(connection) == b""


def test_five_hundred_connections_that_say_nothing_keep_nobody_else_out(live, connect, png: bytes) -> None:
    """Fault 40. The service allows 400: the oldest that say nothing go."""
    held = [connect(b"POST /read HTTP/1.1\r\nX: ") for _ in range(500)]
    for _ in range(5):
        assert ask(live, png) == 200
    assert all(rest(connection) == b"" for connection in held)


def test_of_too_many_connections_the_oldest_that_say_nothing_go(start: Callable, png: bytes) -> None:
    """Fault 40. Time alone would let them stay for ten minutes."""
    service = start(TENFOLD_MAX_CONNECTIONS="10", TENFOLD_MAX_HEADER_S="600", TENFOLD_MAX_IDLE_S="600")
    with ExitStack() as stack:
        address = (service.host, service.port)
        held = [stack.enter_context(socket.create_connection(address, PATIENCE_S)) for _ in range(30)]
        assert all(rest(connection) == b"" for connection in held[:20])
        assert ask(service, png) == 200


def test_requests_on_one_connection_are_answered_one_after_the_other(live, connect) -> None:
    request = f"GET /v2/health/live HTTP/1.1\r\nHost: localhost:{live.port}\r\n\r\n".encode()
    connection = connect(3 * request)
    assert [answered(connection)[0] for _ in range(3)] == [200] * 3


def test_an_upgrade_is_not_made(live, connect) -> None:
    lines = ["Connection: upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: x", "Content-Length: 0"]
    seen = len(logged(live))
    assert answered(connect(head(live, *lines)))[0] == 400
    assert {line["event"] for line in logged(live)[seen:]} == {"request"}  # nothing that urges to install something
    assert live.process.poll() is None


@pytest.mark.parametrize(
    ("target", "host", "status"),
    [
        ("http://localhost:8000/v2/health/live", "anything.example", 200),
        ("HTTP://[::1]/v2/health/live?a=b", "localhost", 200),
        ("http://localhost", "localhost", 200),
        ("https://localhost/v2/models/digits/ready", "localhost", 200),
        ("http://evil.example/v2", "localhost", 400),
        ("http://", "localhost", 400),
        ("http:///v2", "localhost", 400),
        ("http://localhost/nothing//v2", "localhost", 404),
    ],
)
def test_a_target_with_a_host_counts_for_the_host_header(connect, target: str, host: str, status: int) -> None:
    """Clients speak so to proxies, and a server has to understand it (RFC 9112, 3.2.2)."""
    connection = connect(f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    assert rest(connection).startswith(f"HTTP/1.1 {status} ".encode())


def test_a_foreign_page_gets_no_further_by_a_target_with_a_host(live, connect) -> None:
    strange = head(live, "Origin: http://evil.example", "Content-Length: 0", path="http://localhost/read")
    assert answered(connect(strange))[0] == 403
    assert (
        answered(connect(head(live, "Origin: http://localhost", "Content-Length: 0", path="http://evil.example/read")))[0]
        == 400
    )
