from project.gamma import gamma
from project.serving.app import app

gamma(app)
