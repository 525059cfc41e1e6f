"""Real histories and made-up oddities, imported and compared with an independent computation."""
