from churn.parts.config import Config, app, main

__all__ = ["Config", "app", "main"]
