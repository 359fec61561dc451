"""An emulated CUDA device: tensors that say they are on `cuda:0` and are computed on the CPU.

It proves on a machine without a GPU that a program mixes no devices, and counts where it waits for
one: each wait is reported with the line that causes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any, NamedTuple, NoReturn
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes

from bench.testing.calling_line import calling_line

DEVICE = torch.device("cuda", 0)
_INNER = torch.device("cpu", 0)
"""What an emulated tensor is to the C++ code of torch. Host tensors are on `cpu`, without an index,
so the two can be told apart, and autograd and autocast work as on the CPU."""

_SHAPED_BY_DATA = {
    "_local_scalar_dense",
    "_unique2",
    "bincount",
    "equal",
    "is_nonzero",
    "masked_select",
    "nonzero",
    "unique_consecutive",
    "unique_dim",
}
"""Operations that read values of the device before they return."""
_INDEXING = {"_index_put_impl_", "_unsafe_index", "index", "index_put", "index_put_"}
_COPIES_CONSTANTS = {"_index_put_impl_", "index_put", "index_put_", "where"}
"""Operations that copy a constant of the host to the device, and wait for it."""
_TAKES_HOST_LENGTHS = {
    "_ctc_loss",
    "_ctc_loss_backward",
    "_pack_padded_sequence",
    "_pack_padded_sequence_backward",
    "_pad_packed_sequence",
    "ctc_loss",
    "mkldnn_rnn_layer",
    "mkldnn_rnn_layer_backward",
}
_NATIVE_CTC = {"_ctc_loss", "_ctc_loss_backward", "ctc_loss"}


class MixedDevicesError(RuntimeError):
    """An operation was given tensors of the device and of the host."""


class Wait(NamedTuple):
    """A moment at which the host waits for the device.

    Attributes:
        reason: The operation that waits.
        location: The file and line that called it, outside of torch and `bench.testing`.
    """

    reason: str
    location: str


class EmulatedTensor(torch.Tensor):
    """A tensor of the emulated device.

    Attributes:
        held: The same values as a tensor of the CPU.
    """

    held: Tensor

    @staticmethod
    def __new__(cls: type[EmulatedTensor], held: Tensor) -> EmulatedTensor:
        """Return a tensor of the device with the values of one of the CPU."""
        tensor = torch.Tensor._make_wrapper_subclass(
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            layout=held.layout,
            device=_INNER,
        )
        tensor.held = held
        return tensor

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> NoReturn:
        """Refuse operations outside of the emulation."""
        raise AssertionError(f"{func} was called on an emulated tensor outside of EmulatedCuda")

    device = property(lambda _: DEVICE)
    is_cuda = property(lambda _: True)
    is_cpu = property(lambda _: False)

    def __repr__(self, **_: Any) -> str:  # type: ignore[override]  # noqa: ANN401
        return f"EmulatedTensor(shape={tuple(self.shape)}, dtype={self.dtype})"

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("a tensor of cuda:0 cannot become an array; copy it to the host first")

    numpy = __array__

    def tolist(self) -> list[Any]:
        """Return the values, once they are copied to the host."""
        return self.cpu().tolist()


class EmulatedCuda:
    """A context within which tensors can be moved to the emulated device and computed there.

    Autocast on the device is emulated by that of the CPU, whose lists of operations differ a little
    from those of CUDA. Fused kernels of CUDA, streams and memory are not emulated.

    Attributes:
        reads: Where values of the device were read: scalars, copies to the host, and shapes that
            depend on values.
        blocking_copies: Where the host waited for a copy to the device. Copies of pinned or small
            tensors with `non_blocking=True` do not wait.
        native_ctc: How often torch's native CTC ran. Its CUDA kernels copy the lengths to the
            device with a wait, within torch, which no caller can avoid.
    """

    def __init__(self) -> None:
        self.reads: list[Wait] = []
        self.blocking_copies: list[Wait] = []
        self.native_ctc = 0
        self._stack = ExitStack()

    @property
    def waits(self) -> list[Wait]:
        """All moments at which the host waited, native CTC's own aside."""
        return [*self.reads, *self.blocking_copies]

    def __enter__(self) -> EmulatedCuda:
        self._stack.enter_context(patch.object(torch, "autocast", _autocast(torch.autocast)))
        self._stack.enter_context(_DeviceArguments(self))
        self._stack.enter_context(_Operations(self))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def move(self, module: nn.Module) -> nn.Module:
        """Move the weights and buffers of a module to the device, in place; return it."""
        moved: dict[int, Tensor] = {}
        for part in module.modules():
            for name, weight in part._parameters.items():
                if weight is not None:
                    made = nn.Parameter(EmulatedTensor(weight.data), weight.requires_grad)
                    parameter: Any = moved.setdefault(id(weight), made)
                    part._parameters[name] = parameter
            for name, buffer in part._buffers.items():
                if buffer is not None:
                    part._buffers[name] = moved.setdefault(id(buffer), EmulatedTensor(buffer))
        for part in module.modules():
            if isinstance(part, nn.RNNBase):
                part._flat_weights = [getattr(part, name) for name in part._flat_weights_names]
        return module

    def clear(self) -> None:
        """Forget what was counted."""
        self.reads.clear()
        self.blocking_copies.clear()
        self.native_ctc = 0

    def read(self, reason: str) -> None:
        """Count a read of the device."""
        self.reads.append(Wait(reason, calling_line()))

    def blocking_copy(self, reason: str) -> None:
        """Count a copy to the device that waits."""
        self.blocking_copies.append(Wait(reason, calling_line()))


class _DeviceArguments(TorchFunctionMode):
    """Replaces `cuda` in arguments by the device that emulated tensors have in C++."""

    def __init__(self, cuda: EmulatedCuda) -> None:
        super().__init__()
        self._cuda = cuda

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        kwargs = kwargs or {}
        if "device" in kwargs and _is_cuda(kwargs["device"]):
            kwargs = kwargs | {"device": _INNER}
            if func in {torch.tensor, torch.as_tensor}:
                self._cuda.blocking_copy(func.__name__)
                return func(*args, **kwargs | {"device": None}).to(_INNER, non_blocking=True)
        if func is torch._VF.lstm and isinstance(args[0], EmulatedTensor):
            return _fused_lstm(*args)
        if func is nn.functional.ctc_loss:
            return _ctc_loss(*args, **kwargs)
        if func is torch.Tensor.to:
            args = tuple(_INNER if _is_cuda(argument) else argument for argument in args)
        return func(*args, **kwargs)


class _Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Computes operations on emulated tensors, and those that make them."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # Where torch may compile what is dispatched, it imports its compiler here: ten seconds.
        return False

    def __init__(self, cuda: EmulatedCuda) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._cuda = cuda

    def __torch_dispatch__(
        self,
        func: Any,  # noqa: ANN401
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        kwargs = kwargs or {}
        name = func.overloadpacket.__name__
        device = kwargs.get("device")
        if name == "_to_copy":
            return self._copy(func, *args, **kwargs)
        tensors = _tensors([*args, *kwargs.values()])
        emulated = [tensor for tensor in tensors if isinstance(tensor, EmulatedTensor)]
        if device == _INNER:
            kwargs = kwargs | {"device": torch.device("cpu")}
        if name == "copy_":
            self._count_copy(*args, *kwargs.values())
        elif emulated:
            self._count(name, args, tensors)
        if emulated:
            args, kwargs = _convert(args, _held), _convert(kwargs, _held)
        outputs = func(*args, **kwargs)
        if not emulated and device != _INNER:
            return outputs
        if emulated and device is not None and device != _INNER:
            return outputs
        if name == "_pack_padded_sequence":
            return EmulatedTensor(outputs[0]), outputs[1]
        inputs = {id(tensor.held): tensor for tensor in emulated}
        # Operations in place return the tensor that they were given.
        return _convert(
            outputs,
            lambda tensor: inputs[id(tensor)] if id(tensor) in inputs else EmulatedTensor(tensor),
        )

    def _copy(
        self,
        func: Callable[..., Tensor],
        source: Tensor,
        **kwargs: Any,  # noqa: ANN401
    ) -> Tensor:
        """Copy a tensor to another type or device."""
        before = isinstance(source, EmulatedTensor)
        device = kwargs.pop("device", None)
        after = before if device is None else device == _INNER
        waits = not kwargs.pop("non_blocking", False)
        if before and not after:
            self._cuda.read("copy to the host")
        elif after and not before and waits:
            self._cuda.blocking_copy("copy to the device")
        copy = func(_held(source), **kwargs)
        return EmulatedTensor(copy) if after else copy

    def _count_copy(self, target: Tensor, source: Tensor, *non_blocking: bool) -> None:
        """Count a copy into a tensor that exists."""
        before, after = (isinstance(each, EmulatedTensor) for each in (source, target))
        if before and not after:
            self._cuda.read("copy to the host")
        elif after and not before and not any(non_blocking):
            self._cuda.blocking_copy("copy to the device")

    def _count(self, name: str, args: tuple[Any, ...], tensors: Iterable[Tensor]) -> None:
        """Count what an operation on the device waits for. Refuse operands on two devices."""
        host = [tensor for tensor in tensors if not isinstance(tensor, EmulatedTensor)]
        if name in _SHAPED_BY_DATA or (name == "repeat_interleave" and len(args) == 1):
            self._cuda.read(name)
        self._cuda.native_ctc += name in _NATIVE_CTC
        indices = _tensors(args[1]) if name in _INDEXING else []
        for index in indices:
            if index.dtype in {torch.bool, torch.uint8}:
                self._cuda.read(f"{name} by a mask")
            if not isinstance(index, EmulatedTensor):
                self._cuda.blocking_copy(f"{name} by an index of the host")
        others = [tensor for tensor in host if all(tensor is not index for index in indices)]
        if name in _COPIES_CONSTANTS and others:
            self._cuda.blocking_copy(f"{name} with a constant of the host")
        if name not in _TAKES_HOST_LENGTHS and any(tensor.dim() for tensor in others):
            shapes = [f"{tuple(each.shape)} on {each.device}" for each in tensors]
            raise MixedDevicesError(f"{name} of {', '.join(shapes)} at {calling_line()}")


class _FusedLSTM(torch.autograd.Function):
    """An LSTM as one operation, as cuDNN has it, and not as hundreds of them.

    Its operands are the input and the weights; `run` maps their values to those of its outputs.
    """

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 (torch's)
        run: Callable[[list[Tensor]], tuple[Tensor, ...]],
        *operands: EmulatedTensor,
    ) -> tuple[Tensor, ...]:
        """Compute the outputs on the CPU, and keep the graph of that computation."""
        with _disable_current_modes(), torch.enable_grad():
            ctx.leaves = [operand.held.detach().requires_grad_() for operand in operands]
            ctx.outputs = run(ctx.leaves)
        return tuple(EmulatedTensor(output.detach()) for output in ctx.outputs)

    @staticmethod
    def backward(ctx: Any, *outer: EmulatedTensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        """Return the gradients of the operands."""
        pairs = zip(ctx.outputs, outer, strict=True)
        with _disable_current_modes(), torch.enable_grad():
            # Given gradients of outputs, torch imports sympy, which takes seconds.
            total = sum((output * gradient.held).sum() for output, gradient in pairs)
            inner = torch.autograd.grad(total, ctx.leaves, allow_unused=True)
        return None, *(None if each is None else EmulatedTensor(each) for each in inner)


def _fused_lstm(*args: Any) -> Any:  # noqa: ANN401 (as torch's)
    """Return what `torch._VF.lstm` returns, for padded or packed emulated inputs."""
    packed = isinstance(args[1], Tensor)
    before = args[1:2] if packed else ()
    states, weights, *settings = args[1 + len(before) :]

    def run(leaves: list[Tensor]) -> Any:  # noqa: ANN401
        hidden = tuple(state.held for state in states)
        return torch._VF.lstm(leaves[0], *before, hidden, leaves[1:], *settings)  # type: ignore[call-overload]

    return _FusedLSTM.apply(run, args[0], *weights)


def _autocast(real: Callable[..., Any]) -> Callable[..., Any]:
    """Return autocast with the CPU's in place of CUDA's."""
    return lambda kind, *args, **kwargs: real("cpu" if kind == "cuda" else kind, *args, **kwargs)


def _is_cuda(argument: object) -> bool:
    if isinstance(argument, str):
        return argument.startswith("cuda")
    return isinstance(argument, torch.device) and argument.type == "cuda"


def _held(tensor: Tensor) -> Tensor:
    return tensor.held if isinstance(tensor, EmulatedTensor) else tensor


def _ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Tensor,
    target_lengths: Tensor,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,  # noqa: FBT001, FBT002
) -> Tensor:
    """Return torch's CTC, whose mean divides by lengths on the host only on a real device."""
    mean = reduction == "mean"
    losses = nn.functional.ctc_loss(
        log_probs,
        targets,
        input_lengths,
        target_lengths,
        blank,
        "none" if mean else reduction,
        zero_infinity,
    )
    if not mean:
        return losses
    lengths = target_lengths.clamp_min(1)
    return (losses / lengths.to(_INNER, non_blocking=True)).mean()


def _tensors(values: Iterable[object]) -> list[Tensor]:
    """Return the tensors of nested arguments."""
    tensors: list[Tensor] = []
    for value in values:
        if isinstance(value, Tensor):
            tensors.append(value)
        elif isinstance(value, (list, tuple)):
            tensors += _tensors(value)
    return tensors


def _convert(value: Any, convert: Callable[[Tensor], Tensor]) -> Any:  # noqa: ANN401
    """Return nested arguments or results with each tensor converted."""
    if isinstance(value, Tensor):
        return convert(value)
    if isinstance(value, (list, tuple)):
        return type(value)([_convert(each, convert) for each in value])
    if isinstance(value, dict):
        return {name: _convert(each, convert) for name, each in value.items()}
    return value
