"""Serving, and what is ours."""

from churn.beta import beta as beta

NAME = "serving"
OURS = 1  # of the user
