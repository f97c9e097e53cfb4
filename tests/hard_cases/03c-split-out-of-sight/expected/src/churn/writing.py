class Writer:
    def save(self, path, row):
        self.rows = [path, row]
