"""Measurements that print one table each; ratios are of things measured in the same run."""
