"""Lots, spendings and debts: entries as differences of folds; pure like the engine."""
