"""Commands for what follows from a solution: proofs, derivatives, optima."""
