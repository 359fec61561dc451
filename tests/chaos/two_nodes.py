"""A Ray cluster of two nodes; the second is killed some seconds after a line comes in on stdin.

Prints its address, and ends with its standard input.
"""

from __future__ import annotations

import sys
import time

from ray.cluster_utils import Cluster


def main() -> None:
    """Start it, kill a node, wait for the end."""
    checks = {"health_check_period_ms": 500, "health_check_failure_threshold": 3}
    head = {"num_cpus": 1, "include_dashboard": False, "_system_config": checks}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    node = cluster.add_node(num_cpus=1)
    print(cluster.address, flush=True)
    if sys.stdin.readline():
        time.sleep(float(sys.argv[1]))
        cluster.remove_node(node, allow_graceful=False)
        sys.stdin.readline()
    cluster.shutdown()


main()
