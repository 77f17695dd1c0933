"""The operators' desk: what the command line reads, and the few things it writes (never the books themselves)."""
