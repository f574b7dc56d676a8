"""The services that others would write in place of ours, each as short as its kind allows.

They answer the contract's check at `/v1/checks`, and do less: no keys, no roles, no rules, no proof
of absence. `python -m loadtest.baselines NAME` starts one alone.
"""
