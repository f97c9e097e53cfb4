import json

from project.beta import beta
from project.serving.app import app

beta(json.loads("[]") or app)
