"""Stories beside a policy: what happened at the till, and what was expected.

`read` turns `NAME.scenarios.yaml` into stories or problems with their places;
`run` plays a story through the same service as the API. What does not live
here: how results are shown (`rewards.cli`).
"""
