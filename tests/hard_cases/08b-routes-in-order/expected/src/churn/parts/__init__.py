app = []


def route(path):
    def put(function):
        app.append((path, function))
        return function

    return put


@route("/health")
def health():
    return "ok"


@route("/ours")
def ours():
    return "ours"


@route("/new")
def new():
    return "new"


@route("/{name}")
def named():
    return "named, newly"


app.append(("mounted", None))
