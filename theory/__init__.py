"""Theory: the potentials of the deterministic equivalent and what they imply.

SymPy only. Knows nothing of floating point numbers, quadrature nodes or solvers.
"""
