"""What a container may do, and who can reach it."""

import json
import socket
import subprocess
from ipaddress import ip_address, ip_network

import pytest

from tests.containers.stack import Stack, docker, inspect


@pytest.mark.parametrize(
    ("service", "user"),
    [("service", "10001"), ("nginx", "101"), ("balancer", "99")],
)
def test_it_is_not_root_and_has_no_rights(
    stack: Stack, service: str, user: str
) -> None:
    for container in stack.replicas(service):
        assert docker("exec", container, "id", "-u") == user
        assert docker("exec", container, "id", "-g") == "0"
        status = dict(
            line.split(":", 1)
            for line in docker(
                "exec", container, "cat", "/proc/1/status"
            ).splitlines()
        )
        assert status["Uid"].split() == [user] * 4
        assert int(status["CapBnd"], 16) == int(status["CapEff"], 16) == 0
        assert status["NoNewPrivs"].strip() == "1"
        assert (
            "API_KEY"
            not in docker("exec", container, "cat", "/proc/1/environ")
            or service == "service"
        )


@pytest.mark.parametrize(
    ("service", "writable"),
    [
        ("service", {"/run/service"}),
        ("nginx", {"/tmp"}),
        ("balancer", {"/run/balancer"}),
    ],
)
def test_nothing_can_be_written_but_the_tmpfs(
    stack: Stack, service: str, writable: set[str]
) -> None:
    [container, *_] = stack.replicas(service)
    script = "for d in $(find / -xdev -type d 2>/dev/null) /run/service /run/balancer /tmp /models /dev/shm /dev/mqueue; do touch $d/probe 2>/dev/null && echo $d; done"
    assert set(
        docker("exec", container, "sh", "-c", script).split()
    ) == writable | {
        "/dev/shm",
        "/dev/mqueue",
    }
    assert inspect(container, ".HostConfig.ReadonlyRootfs") is True
    assert not [
        mount
        for mount in inspect(container, ".Mounts")
        if mount["Type"] == "bind" and mount["RW"]
    ]
    mounts = {
        line.split()[1]: line.split()[2:4]
        for line in docker(
            "exec", container, "cat", "/proc/mounts"
        ).splitlines()
    }
    for folder in writable:
        kind, options = mounts[folder]
        assert kind == "tmpfs"
        assert {"noexec", "nosuid", "nodev"} <= set(options.split(","))


def test_there_are_limits_and_the_log_is_rotated(stack: Stack) -> None:
    for container in everybody(stack):
        assert inspect(container, ".HostConfig.Memory") > 0
        assert inspect(container, ".HostConfig.NanoCpus") > 0
        assert (
            inspect(container, ".HostConfig.RestartPolicy.Name")
            == "unless-stopped"
        )
        assert inspect(container, ".HostConfig.LogConfig.Config") == {
            "max-size": "10m",
            "max-file": "5",
        }


def everybody(stack: Stack) -> list[str]:
    services = ("service", "nginx", "balancer")
    return [one for service in services for one in stack.replicas(service)]


def test_what_is_in_memory_and_what_runs_is_bounded(stack: Stack) -> None:
    for container in everybody(stack):
        assert inspect(container, ".HostConfig.PidsLimit") == 512
        limits = docker("exec", container, "cat", "/proc/1/limits")
        for line in limits.splitlines():
            if line.startswith("Max open files"):
                assert line.split()[3:5] == ["16384", "16384"]
            if line.startswith("Max core file size"):
                assert line.split()[4:6] == ["0", "0"]
        mounts = docker("exec", container, "cat", "/proc/mounts")
        for line in mounts.splitlines():
            _, place, kind, options, *_ = line.split()
            if kind == "tmpfs" and options.startswith("rw,"):
                is_the_engines = place == "/dev" or place.startswith("/sys")
                assert is_the_engines or "size=" in options, line


def test_a_fork_bomb_is_stopped(stack: Stack) -> None:
    """It may not take the machine, and the service goes on."""
    [container, *_] = stack.replicas()
    bomb = (
        "import subprocess\n"
        "children = []\n"
        "try:\n"
        "    while len(children) < 2000:\n"
        "        children.append(subprocess.Popen(['sleep', '20']))\n"
        "except OSError:\n"
        "    pass\n"
        "print(len(children))\n"
        "for child in children:\n"
        "    child.kill()\n"
    )
    started = docker("exec", container, "python", "-c", bomb)
    assert 100 < int(started) < 512
    assert stack.status("/ready") == 200


def test_the_service_sees_the_model_and_nothing_else_of_the_project(
    stack: Stack,
) -> None:
    for container in stack.replicas():
        names = docker("exec", container, "ls", "-A", "/models").split()
        versions = {"model.joblib.versions", "README.md"}
        assert {"model.joblib"} <= set(names) <= {"model.joblib"} | versions


def test_only_nginx_is_published(stack: Stack) -> None:
    assert all(
        not any(inspect(one, ".NetworkSettings.Ports").values())
        for one in stack.replicas()
    )
    [published] = [
        port
        for port, host in inspect(
            stack.replicas("nginx")[0], ".NetworkSettings.Ports"
        ).items()
        if host
    ]
    assert published == "8080/tcp"
    with socket.socket() as probe:
        probe.settimeout(2)
        assert probe.connect_ex(("127.0.0.1", 5000)) != 0


def test_the_host_has_no_way_to_the_service(stack: Stack) -> None:
    """Asked of the routes: a packet to an address that is not here would leave this machine."""
    routes = subprocess.run(
        ["ip", "-4", "-json", "route"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    networks = [
        ip_network(route["dst"])
        for route in json.loads(routes)
        if route["dst"] != "default"
    ]
    private = f"{stack.name}_private"
    for replica in stack.replicas():
        joined = inspect(replica, ".NetworkSettings.Networks")
        assert joined.keys() == {private}
        address = ip_address(joined[private]["IPAddress"])
        assert not [network for network in networks if address in network]
    assert inspect(private, ".Internal") is True


def test_the_image_holds_what_serves_and_nothing_else(stack: Stack) -> None:
    [container, *_] = stack.replicas()
    found = docker(
        "exec", container, "find", "/srv", "-mindepth", "1", "-maxdepth", "1"
    ).split()
    assert {path.removeprefix("/srv/") for path in found} == {
        "python",
        "model_code",
        "service.py",
        "uwsgi.ini",
        "requirements.txt",
        "requirements-service.txt",
        "requirements.lock",
    }
    found = docker(
        "exec",
        container,
        "sh",
        "-c",
        "ls /opt/venv/bin; command -v gcc cc g++ git make || true",
    ).split()
    assert "uwsgi" in found
    assert not {"pip", "pip3"} & set(found)
    assert not [path for path in found if path.startswith("/")]
