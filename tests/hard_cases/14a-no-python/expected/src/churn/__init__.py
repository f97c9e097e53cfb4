"""The package of churn."""
