def alpha(app):
    app.append("alpha")
