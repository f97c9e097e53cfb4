from project.alpha import alpha as alpha
