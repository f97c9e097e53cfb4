app = []
