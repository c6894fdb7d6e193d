"""`spintherm explore`: the command and its flags; importing this module registers it."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from spintherm.cli.app import Whole, app

__all__ = ["app", "explore"]


@app.command
def explore(
    *,
    port: Whole = 0,
    browser: Annotated[bool, Parameter(negative="--no-browser")] = True,
) -> int:
    """See the physics and turn it by hand, in the browser.

    Serves a page on loopback until interrupted and opens it: the steady state on the sphere, the
    phase diagram, trajectories, and the fluctuation theorem of a process of one's own.

    Parameters
    ----------
    port
        Port of loopback; 0 takes any free one.
    browser
        Whether to open the page.
    """
    from spintherm.cli.failure import Failed, UsageError
    from spintherm.explorer import explore as serve

    if not 0 <= port <= 65535:
        raise UsageError(f"--port {port}: expected a port from 0 to 65535")
    try:
        return serve(port, browser=browser)
    except OSError as error:
        raise Failed(f"--port {port}: {error.strerror or error}") from error
