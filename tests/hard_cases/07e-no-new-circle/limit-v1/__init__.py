from project.serving import Problem


def limit(app):
    app.append(Problem)
