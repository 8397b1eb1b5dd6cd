"""Finding what is true: conjectures, refuted or proved over whole ranges."""

from detequiv.numerics.discovery.claims import Claim, read_claim
from detequiv.numerics.discovery.conjectures import check
from detequiv.numerics.discovery.expansions import Expansion, expand
from detequiv.numerics.discovery.identify import Identification, identify
from detequiv.numerics.discovery.verdict import Verdict

__all__ = [
    "Claim",
    "Expansion",
    "Identification",
    "Verdict",
    "check",
    "expand",
    "identify",
    "read_claim",
]
