B = 2
A = 1
OURS = 1
