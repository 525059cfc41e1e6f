"""Documentation that can be wrong is checked: generated pages, the README's commands, the shape of the code."""
