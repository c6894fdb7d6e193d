"""Labels: what every dataset of the time-dependent density engine records about its process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spintherm.magnet import Magnet
    from spintherm.protocol import Protocol


def attributes(magnet: Magnet, protocol: Protocol) -> dict[str, Any]:
    """Return the attributes: the magnet's parameters, the protocol as text, the version."""
    from spintherm.version import __version__

    try:
        process = json.dumps(protocol.to_dict())
    except TypeError:  # a callable has no plain form
        process = repr(protocol)
    return {**magnet.to_dict(), "protocol": process, "spintherm_version": __version__}
