"""Clients that send one request after the other until they are ended.

They are a process of their own that costs little: a process for each request takes so much of the
machine that predictions seem to wait for explanations. The body comes on standard input.
"""

import sys
from http.client import HTTPConnection
from threading import Thread

CLIENTS = 8


def send_forever(port: int, path: str, key: str, body: bytes) -> None:
    connection = HTTPConnection("127.0.0.1", port)
    while True:
        connection.request("POST", path, body, {"X-API-Key": key})
        connection.getresponse().read()


def main() -> None:
    """Send to the port, path and key that the arguments name."""
    port, path, key = sys.argv[1:]
    body = sys.stdin.buffer.read()
    arguments = (int(port), path, key, body)
    threads = []
    for _ in range(CLIENTS):
        threads.append(Thread(target=send_forever, args=arguments))
    for thread in threads:
        thread.start()


if __name__ == "__main__":
    main()
