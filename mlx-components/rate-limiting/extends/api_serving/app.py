from project.api_serving.app import app
from project.rate_limiting import limit_requests

limit_requests(app)
