"""Policy files: YAML text in, one frozen `model.Policy` or a list of problems out."""
