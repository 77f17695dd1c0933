"""Whole histories: random events of every type, as they come on the wire, through door, law, ledger and rendering."""
