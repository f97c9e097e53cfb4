from web.beta import more
