"""A computation on an emulated GPU, compared with the same one on the CPU."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from bench.testing.contract import ContractError
from bench.testing.differences import are_close
from bench.testing.emulated_cuda import EmulatedCuda, EmulatedTensor, MixedDevicesError


def compare_with_gpu(
    compute: Callable[[EmulatedCuda], Tensor],
    expected: Tensor,
    what: str,
    remedy: str,
    tolerance: float = 1e-4,
) -> str | None:
    """Return where a computation waits for an emulated GPU, None if it does not.

    Args:
        compute: Moves what it needs to the device, and returns one number.
        expected: That number on the CPU.
        what: What the number is.
        remedy: What to do where an operation has tensors of two devices.
        tolerance: The relative difference that is allowed.

    Raises:
        ContractError: An operation has tensors of two devices, or the numbers differ.
    """
    try:
        with EmulatedCuda() as cuda:
            value = compute(cuda)
    except MixedDevicesError as error:
        raise ContractError(f"an operation has tensors of two devices: {error}; {remedy}") from None
    held = value.held if isinstance(value, EmulatedTensor) else value
    if not are_close(held, expected, tolerance):
        raise ContractError(
            f"{what} is {held.item():.6g} on a GPU, {expected.item():.6g} on the CPU; compute both "
            "in the same way"
        )
    if not cuda.waits:
        return None
    return (
        f"each step waits for the GPU {len(cuda.waits)} times, at first for "
        f"{cuda.waits[0].reason} ({cuda.waits[0].location}); see `bench docs devices`"
    )
