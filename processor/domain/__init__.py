"""The law of the wallet: pure code that turns a command and the locked books into a decision."""
