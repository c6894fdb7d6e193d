"""Labels: what every dataset of the time-dependent density engine records about its process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spintherm.schema import protocol_text

if TYPE_CHECKING:
    from spintherm.magnet import Magnet
    from spintherm.protocol import Protocol


def attributes(magnet: Magnet, protocol: Protocol) -> dict[str, Any]:
    """Return the attributes: the magnet's parameters, the protocol as text, the version."""
    from spintherm.version import __version__

    return {
        **magnet.to_dict(),
        "protocol": protocol_text(protocol),
        "spintherm_version": __version__,
    }
