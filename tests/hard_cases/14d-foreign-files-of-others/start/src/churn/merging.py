<<<<<<< HEAD
A = 1
=======
A = 2
>>>>>>> theirs
