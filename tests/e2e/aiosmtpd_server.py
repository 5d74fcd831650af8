# SPDX-License-Identifier: MIT
"""e2e/aiosmtpd_server: an SMTP server that keeps what it is sent, octet for octet.

    aiosmtpd_server.py DIRECTORY

Prints "ready PORT" when it listens on 127.0.0.1. The n-th message becomes DIRECTORY/n.eml, its
octets as they stood on the wire (dots unstuffed, line ends untouched), and before that n.json, its
envelope. Runs until it is told to stop (SIGTERM).
"""

import asyncio
import json
import pathlib
import signal
import sys

from aiosmtpd.smtp import SMTP


class Keeper:
    """aiosmtpd's handler: it asks it about each message."""

    def __init__(self, directory):
        self.directory = directory
        self.count = 0

    async def handle_DATA(self, server, session, envelope):
        self.count += 1
        about = {
            "sender": envelope.mail_from,
            "recipients": envelope.rcpt_tos,
            "parameters": envelope.mail_options,
            "connection": session.peer[1],
        }
        (self.directory / f"{self.count:06}.json").write_text(json.dumps(about))
        # Under its name only when whole: who sees the name may read it.
        unfinished = self.directory / "unfinished"
        unfinished.write_bytes(envelope.original_content)
        unfinished.rename(self.directory / f"{self.count:06}.eml")
        return "250 2.0.0 kept"


async def serve(directory):
    keeper = Keeper(directory)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    server = await loop.create_server(
        lambda: SMTP(
            keeper, data_size_limit=64 * 1024 * 1024, enable_SMTPUTF8=True, hostname="aiosmtpd.example", loop=loop
        ),
        "127.0.0.1",
        0,
    )
    print("ready", server.sockets[0].getsockname()[1], flush=True)
    await stop.wait()


if __name__ == "__main__":
    asyncio.run(serve(pathlib.Path(sys.argv[1])))
