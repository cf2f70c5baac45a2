"""The firewall of docs/security.md, in front of the containers, for clients of another machine."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.containers.stack import Stack
from tests.pages import blocks_of

MOST_CONNECTIONS = 500
GATEWAY = "198.51.100.1"
CLIENTS = ["198.51.100.2", "198.51.100.3"]
MACHINE = "mmd-machine"
# Connects from each address in turn, keeps the connections, and prints how many there are.
CONNECT = """
import json, socket, sys
address, port, count, *clients = sys.argv[1:]
kept = []
counts = []
for client in clients:
    for _ in range(int(count)):
        try:
            kept.append(socket.create_connection((address, int(port)), 5, (client, 0)))
        except OSError:
            break
    counts.append(len(kept))
print(json.dumps(counts))
"""


def run(*command: str) -> str:
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout


@contextmanager
def machine() -> Iterator[None]:
    """A network namespace with two addresses, which stands for another machine."""
    run("ip", "netns", "add", MACHINE)
    try:
        here = ("mmd-here", "type", "veth", "peer", "name", "mmd-there")
        run("ip", "link", "add", *here, "netns", MACHINE)
        run("ip", "address", "add", f"{GATEWAY}/24", "dev", "mmd-here")
        run("ip", "link", "set", "mmd-here", "up")
        there = ("ip", "-n", MACHINE)
        for client in CLIENTS:
            address = ("add", f"{client}/24", "dev", "mmd-there")
            run(*there, "address", *address)
        run(*there, "link", "set", "mmd-there", "up")
        yield
    finally:
        # The pair of devices ends with the namespace.
        run("ip", "netns", "delete", MACHINE)


@pytest.fixture
def firewall(tmp_path: Path) -> Iterator[None]:
    """The rules of the page, on this machine."""
    [rules] = [
        block.text
        for block in blocks_of("docs/security.md")
        if block.kind == "text"
    ]
    file = tmp_path / "service.nft"
    file.write_text(rules)
    run("nft", "--file", str(file))
    yield
    run("nft", "delete", "table", "inet", "service")


@pytest.mark.usefixtures("firewall")
def test_one_client_has_so_many_connections_and_no_more(stack: Stack) -> None:
    with machine():
        inside = ("ip", "netns", "exec", MACHINE, sys.executable, "-c")
        target = (GATEWAY, str(stack.port))
        most = str(MOST_CONNECTIONS + 20)
        counts = json.loads(run(*inside, CONNECT, *target, most, *CLIENTS))
        assert counts == [MOST_CONNECTIONS, 2 * MOST_CONNECTIONS]
    assert stack.ask("/health").status == 200
