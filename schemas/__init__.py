"""The wire contract, version 1: what may be sent, what is answered, what is set aside. Imports nothing of processor/."""
