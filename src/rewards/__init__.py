"""A loyalty rewards engine that a shop runs itself.

This package's root imports nothing, so that the command line starts fast.
"""

__version__ = "0.1.0"
