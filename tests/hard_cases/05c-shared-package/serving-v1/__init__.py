"""Serving."""

NAME = "serving"
