# SPDX-License-Identifier: MIT
"""e2e/private_network: a loopback of one's own, for programs whose ports stand in their source.

enter() starts the running script again in a network namespace, as root or as oneself, where every
port is free and nothing else is to be reached. Where the system gives none (a container without
them) the tests go on in the shared network, and need those ports to be free.
"""

import fcntl
import os
import socket
import struct
import subprocess
import sys

ENTERED = "POSTRIDER_PRIVATE_NETWORK"
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1

# As root; else as oneself, with the right to bring the loopback up.
WAYS = (["unshare", "--net"], ["unshare", "--net", "--map-current-user", "--keep-caps"])


def enter():
    if ENTERED in os.environ:
        if os.environ[ENTERED]:
            bring_loopback_up()
        return
    for way in WAYS:
        if can(way):
            os.execvpe(way[0], [*way, sys.executable, *sys.orig_argv[1:]], {**os.environ, ENTERED: "1"})
    os.environ[ENTERED] = ""


def can(way):
    try:
        return subprocess.run([*way, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def bring_loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        name = struct.pack("16sh", b"lo", 0)
        flags = struct.unpack("16sh", fcntl.ioctl(any_socket, SIOCGIFFLAGS, name))[1]
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh", b"lo", flags | IFF_UP))
