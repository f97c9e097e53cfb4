from project.app.main import app
from project.limits import limit

limit(app)
