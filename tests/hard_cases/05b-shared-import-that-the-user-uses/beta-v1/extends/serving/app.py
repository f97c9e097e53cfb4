import json

from project.serving.app import app

app.append(json.loads("2"))
