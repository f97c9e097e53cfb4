from churn.limits import limit

app = []

limit(app)
