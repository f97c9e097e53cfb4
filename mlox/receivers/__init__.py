"""Adapters that tell somebody of alerts."""
