"""bench as a library: what `import bench` gives, each name in the module that declares it."""
