one = 1
three = 3
