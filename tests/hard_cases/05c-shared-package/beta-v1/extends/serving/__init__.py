from project.beta import beta as beta
