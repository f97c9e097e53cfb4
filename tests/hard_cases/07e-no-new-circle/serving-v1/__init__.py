from .problems import Problem as Problem
