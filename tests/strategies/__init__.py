"""Hypothesis strategies for policies, histories and stories of both.

`words` holds the few names and figures that everything is drawn from, so that
receipts fall near the policy's own thresholds; `policies`, `rules` and
`histories` draw from them; `focus` asks for one feature at a time; `as_yaml`
prints a policy in the policy language.
"""
