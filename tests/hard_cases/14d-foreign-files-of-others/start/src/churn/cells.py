%matplotlib inline
import tabulate
!ls
