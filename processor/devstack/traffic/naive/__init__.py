"""One player of the naive house, a file per kind of event: purses, play, corrections, the wallet as a whole."""
