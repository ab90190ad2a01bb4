import tenfold

run = tenfold.train("classic")
print(run)
