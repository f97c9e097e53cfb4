A = 10
B = 2

C = 3
OURS = 1
