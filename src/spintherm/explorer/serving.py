"""`explore`: serve the page on loopback until interrupted, and show it in the browser."""

from __future__ import annotations

import socket
import sys
import threading
import webbrowser
from typing import Any

ADDRESS = "127.0.0.1"


def explore(port: int = 0, *, browser: bool = True) -> int:
    """Serve the explorer and open it in the browser.

    Parameters
    ----------
    port : int
        Port of loopback; 0 takes any free one.
    browser : bool
        Whether to open the page.

    Returns
    -------
    int
        0, once interrupted.

    Raises
    ------
    OSError
        If the port is taken.
    """
    listener = listening(port)
    number = listener.getsockname()[1]
    address = f"http://{ADDRESS}:{number}/"
    # who connects now waits for the server, which loads meanwhile
    print(f"{address} (Ctrl+C ends it)", flush=True)
    try:
        if browser:
            opening = threading.Timer(0.3, _open, (address,))
            opening.daemon = True
            opening.start()
        _serve(listener, number)
    except KeyboardInterrupt:
        print(file=sys.stderr)
    finally:
        listener.close()
    return 0


def _serve(listener: socket.socket, port: int) -> None:
    import uvicorn

    from spintherm.explorer.application import application

    uvicorn.Server(configuration(application(port))).run(sockets=[listener])


def listening(port: int) -> socket.socket:
    """Return a socket that listens on a port of loopback and nowhere else.

    Raises
    ------
    OSError
        If the port is taken.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((ADDRESS, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def configuration(app: object) -> Any:
    """Return the settings of the server: quiet, no names of software, few connections."""
    import uvicorn

    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        limit_concurrency=256,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=75,
        ws="none",
    )


def _open(address: str) -> None:
    webbrowser.open(address)
