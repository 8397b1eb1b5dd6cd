"""What the names of written files may end in."""

__all__ = ["FIGURES", "TABLES"]

FIGURES = (".svg", ".png", ".pdf")
TABLES = (".csv",)
