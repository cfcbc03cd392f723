"""The draw as pure functions: rule, selection, seed, and the check of what was published.

No Django and no database here: whoever has the published JSON has all that these modules ever see.
"""
