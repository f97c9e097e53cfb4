from project.limit import limit
from project.serving.app import app

limit(app)
