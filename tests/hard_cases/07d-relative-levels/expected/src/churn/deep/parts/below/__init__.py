from .. import ONE
