"""Numerical side: turns the equations of detequiv.theory into numbers."""
