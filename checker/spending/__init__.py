"""Spending under a cap: holds, captures and the room that is left; one person has one limit.

Spending is kept as steps. Steps are only ever added, and the room of a person is the sum of steps.
"""
