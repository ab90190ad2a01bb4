import sys

import tenfold

if sys.argv[1:]:
    print("error: train.py takes no options; give them to tenfold train, such as tenfold train --epochs 1", file=sys.stderr)
    sys.exit(2)
run = tenfold.train("classic")
print(run)
