app = []


def route(path):
    def put(function):
        app.append((path, function))
        return function

    return put


@route("/health")
def health():
    return "ok"


@route("/{name}")
def named():
    return "named"


app.append(("mounted", None))
