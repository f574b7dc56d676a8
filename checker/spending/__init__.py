"""Spending under a cap: holds, captures and what is left; many merchants, one person, one limit.

Kept as steps that are only ever added; whoever may still spend is reckoned from them.
"""
