A = 1
STAGED = 1
OURS = 1


B = 2
