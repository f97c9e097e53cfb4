def beta(app):
    app.append("beta")
