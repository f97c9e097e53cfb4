A = 1
OURS = 5
B = 20
C = 3
D = 4