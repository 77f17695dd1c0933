"""The wire contract, version 1: what may be sent, answered and set aside. Imports nothing of processor/."""
