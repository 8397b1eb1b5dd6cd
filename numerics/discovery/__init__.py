"""What can be found out: proofs and counterexamples, closed forms, expansions."""

from detequiv.numerics.discovery.claims import Claim, read_claim
from detequiv.numerics.discovery.conjectures import check
from detequiv.numerics.discovery.expansions import Expansion, expand
from detequiv.numerics.discovery.identify import Identification, identify
from detequiv.numerics.discovery.relation import Relation, eliminate
from detequiv.numerics.discovery.verdict import Verdict

__all__ = [
    "Claim",
    "Expansion",
    "Identification",
    "Relation",
    "Verdict",
    "check",
    "eliminate",
    "expand",
    "identify",
    "read_claim",
]
