"""HTTP: strict bodies in, answers and problem documents out; no decisions are taken here."""
