"""The tables of a problem file: what each says, checked."""
