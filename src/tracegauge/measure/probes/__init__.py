"""Probes: what is read off the process, the disk, the machine and the store around a measurement."""
