// A layer that has no source file yet still is a target.
