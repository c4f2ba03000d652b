import sys

import whole.sub.deeper.first

print("whole", whole.sub.deeper.first.__name__, *sys.argv[1:])
