"""Ray is imported by bench first.

Under `uv run`, Ray would else build a new environment for each worker, and a task could start in
one that is not finished.
"""

import bench.execution.ray  # noqa: F401
