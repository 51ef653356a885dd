"""Every small network by name, whichever module it stands in."""

from __future__ import annotations

import activation_networks
import arithmetic_networks  # noqa: F401 (these modules register their networks)
import normalization_networks  # noqa: F401
import shape_networks  # noqa: F401
import time_networks  # noqa: F401
from small_networks import NETWORKS, randomised

# One network per activation function.
SINGLE_ACTIVATIONS = activation_networks.SINGLE

__all__ = ["NETWORKS", "SINGLE_ACTIVATIONS", "randomised"]
