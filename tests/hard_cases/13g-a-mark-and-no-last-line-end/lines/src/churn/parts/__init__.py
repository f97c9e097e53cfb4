A = 1
B = 20
C = 3
D = 4
OURS = 5