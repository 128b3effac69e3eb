"""Serve Moto: `python -c <this> HOST PORT` (port 0: any free one).

The port is written to standard output as soon as it listens, so nobody has to guess a free one. Standard input says
for how long: when it ends, so does this program, which is how it goes away with its parent even if the parent is
killed. A line `keep` on it means that the parent has written down where we are, and may leave.
"""

import os
import signal
import socket
import sys
import threading


def watch():
    said = b""
    while b"keep\n" not in said:
        piece = os.read(0, 64)
        if not piece:
            os._exit(0)
        said += piece
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)


signal.signal(signal.SIGHUP, signal.SIG_IGN)
threading.Thread(target=watch, daemon=True).start()

host, port = sys.argv[1], int(sys.argv[2])
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((host, port))
listener.listen(128)
port = listener.getsockname()[1]
os.environ["MOTO_PORT"] = str(port)

from moto.moto_server.werkzeug_app import (  # noqa: E402: it reads the environment set above
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server  # noqa: E402

print(port, flush=True)
os.dup2(2, 1)

app = DomainDispatcherApplication(create_backend_app)
app.debug = True
make_server(host, port, app, threaded=True, request_handler=MotoRequestHandler, fd=listener.fileno()).serve_forever()
