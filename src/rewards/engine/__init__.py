"""What a day earned, as a function of facts: no clock, no I/O, no randomness, no floats."""
