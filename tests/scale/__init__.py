"""Histories at the size of years: ten million transactions, and how long a person waits for a page of them."""
