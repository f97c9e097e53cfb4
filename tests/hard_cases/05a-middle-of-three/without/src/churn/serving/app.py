"""What serves."""

import json

from churn.alpha import alpha
from churn.gamma import gamma

app = []

alpha(json.loads("[]") or app)

gamma(app)


if __name__ == "__main__":
    print(app)
