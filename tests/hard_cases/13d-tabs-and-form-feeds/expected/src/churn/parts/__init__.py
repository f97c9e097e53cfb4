A = 10
B = 2

def f(x):
	if x:
		return x + \
			B
	return A

C = 3