from project.beta import more
