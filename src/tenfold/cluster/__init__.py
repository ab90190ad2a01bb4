"""Many runs and millions of pictures: ensembles, sweeps and bulk reading, in processes of this machine or on a Ray cluster."""
