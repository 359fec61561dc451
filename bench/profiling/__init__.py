"""Profiles of recognizers: parameters, MACs, latency, throughput and memory."""
