import json

from project.alpha import alpha
from project.serving.app import app

alpha(json.loads("[]") or app)
