def limit(app):
    app.append("limit")
