"""What an editor makes of the JSON Schema: a real YAML language server is asked."""
