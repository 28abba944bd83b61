//! Configuration files: one typed `Config` from `.coveragerc` and its kin.
