from project.api_serving.app import app
from project.caching import cache_responses

cache_responses(app)
