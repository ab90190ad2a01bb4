"""The process from its start to its end."""

import json
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection

import pytest

from tenfold.serve import server
from tenfold.serve.settings import Settings

PNG = {"content-type": "image/png"}
PATIENCE_S = 60


def get(connection: HTTPConnection, path: str) -> int:
    connection.request("GET", path)
    with connection.getresponse() as answer:
        answer.read()
    return answer.status


def connected(service) -> closing[HTTPConnection]:
    return closing(HTTPConnection(service.host, service.port, timeout=PATIENCE_S))


def test_on_sigterm_it_is_not_ready_answers_what_it_accepted_and_ends(start: Callable, png: bytes) -> None:
    """Fault 42. Clients go elsewhere when they are told so, by `Connection: close`; until then nothing of theirs is lost."""
    service = start()
    asked, statuses = threading.Barrier(5), Counter[int]()

    def ask_until_told_to_go() -> None:
        with connected(service) as connection:
            for k in range(100_000):
                connection.request("POST", "/read", png, PNG)
                with connection.getresponse() as answer:
                    answer.read()
                statuses[answer.status] += 1
                if k == 0:
                    asked.wait(PATIENCE_S)
                if answer.headers["connection"] == "close":
                    return

    askers = [threading.Thread(target=ask_until_told_to_go) for _ in range(4)]
    for asker in askers:
        asker.start()
    asked.wait(PATIENCE_S)
    with connected(service) as probe, connected(service) as another:
        assert get(probe, "/v2/health/ready") == 200
        service.process.send_signal(signal.SIGTERM)
        service.wait_for("draining")
        assert get(probe, "/v2/health/ready") == 503
        assert get(another, "/v2/health/live") == 200
    for asker in askers:
        asker.join(PATIENCE_S)
    assert set(statuses) == {200}
    assert service.process.wait(PATIENCE_S) == 0
    service.wait_for("ended")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((service.host, service.port))


def test_a_slow_client_cannot_put_off_the_end(start: Callable) -> None:
    service = start(TENFOLD_MAX_DRAIN_S="1")
    with socket.create_connection((service.host, service.port)) as slow:
        slow.sendall(b"POST /read HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 100\r\n\r\nx")
        with connected(service) as connection:
            assert get(connection, "/v2") == 200
        assert service.end() == 0


def test_answers_are_sent_at_once() -> None:
    """A socket without TCP_NODELAY holds small answers back for 40 ms; asyncio sets it where the protocol is named."""
    with server._listening(Settings(port=0)) as listener:
        assert listener.proto == socket.IPPROTO_TCP


@pytest.mark.parametrize(("host", "told"), [("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("127.0.0.1", "127.0.0.1")])
def test_the_address_that_is_told_is_one_that_it_answers_to(host: str, told: str) -> None:
    class Bound:
        def getsockname(self) -> tuple[object, ...]:
            return (host, 8000)

    assert server._url(Bound()) == f"http://{told}:8000/"  # type: ignore[arg-type]
    assert told.strip("[]") in Settings(host=host).hosts


def test_an_interrupt_ends_it_with_130(start: Callable) -> None:
    assert start().end(signal.SIGINT) == 130


def test_with_ten_times_too_much_to_do_it_answers_or_says_so_and_stays_ready(start: Callable, png: bytes) -> None:
    """Fault 41."""
    service = start("--max-queue", "4")
    done = threading.Event()

    def ask(_: int) -> tuple[int, str | None]:
        with connected(service) as connection:
            connection.request("POST", "/read", png, PNG)
            with connection.getresponse() as answer:
                answer.read()
        return answer.status, answer.headers["retry-after"]

    def look() -> Counter[int]:
        seen = Counter[int]()
        with connected(service) as connection:
            while not done.is_set():
                seen.update(get(connection, path) for path in ("/v2/health/ready", "/metrics", "/"))
        return seen

    with ThreadPoolExecutor(41) as clients:
        watching = clients.submit(look)
        answers = Counter(clients.map(ask, range(200)))
        done.set()
        assert set(watching.result()) == {200}
    assert set(answers) == {(200, None), (429, "1")}
    assert service.end() == 0


def test_a_port_that_is_taken_is_one_clear_line() -> None:
    """Fault 47."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "tenfold", "serve", "--port", str(port)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert (
        done.stderr
        == f"error: port {port} on 127.0.0.1 is taken by another program; choose another --port, or 0 for any free one\n"
    )


@pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.1", "x" * 300])
def test_an_address_that_is_not_this_machines_is_refused(host: str) -> None:
    command = [sys.executable, "-m", "tenfold", "serve", "--port", "0", "--host", host]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: cannot listen on")
    assert done.stderr.count("\n") == 1


def test_log_lines_are_json_and_hold_no_address(start: Callable, png: bytes) -> None:
    service = start()
    with connected(service) as connection:
        connection.request("POST", "/read?pattern=%23%23", png, PNG)
        connection.getresponse().read()
    with socket.create_connection((service.host, service.port)) as strange:
        strange.sendall(b"nonsense\r\n\r\n")
        strange.recv(1000)
    line = service.wait_for("request")
    assert (line["route"], line["status"]) == ("/read", 200)
    assert service.end() == 0
    service.wait_for("ended")
    assert "127.0.0.1" not in json.dumps(service.lines[1:])
    refused = [line for line in service.lines if line.get("status") == 400]
    assert [(line["event"], line["route"]) for line in refused] == [("request", "other")]
