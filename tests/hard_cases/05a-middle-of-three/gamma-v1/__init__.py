def gamma(app):
    app.append("gamma")
