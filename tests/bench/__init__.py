"""Speed, as ratios within one run: `make bench`. Absolute figures drift from machine to machine."""
