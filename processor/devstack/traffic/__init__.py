"""Seeded play of thousands of players, and an independent expectation of what it must leave behind."""
