"""The commands of ``detequiv``, one module each, imported when called.

A module ``NAME`` here holds a click command called ``command``, and becomes
``detequiv NAME``. It returns the exit status, None for 0, and lets the errors of the
package pass: the group turns them into one line and a status.
"""
