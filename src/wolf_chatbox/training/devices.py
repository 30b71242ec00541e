"""Processes, device and precision of a run."""

from __future__ import annotations

import ctypes
import os
import sys

import torch
from accelerate import Accelerator, PartialState
from accelerate.utils import DistributedType, GradScalerKwargs

from wolf_chatbox.config import Precision
from wolf_chatbox.errors import ConfigError
from wolf_chatbox.model import compat

CPU_PASS = 512
"""Tokens per forward pass on a CPU; with more, activations leave the caches and each token takes longer."""


def start(precision: Precision) -> Accelerator:
    """The processes of this run (accelerate launch, torchrun, or one), each on its device.

    Raises ConfigError for a precision that the device does not support, and for FSDP version 1.
    """
    compat.reset_accelerator()  # an earlier run of this Python process may have had another precision
    kind = choose_precision(precision)
    accelerator = Accelerator(
        mixed_precision=kind, cpu=_on_cpu(), kwargs_handlers=[GradScalerKwargs(init_scale=2.0**12)]
    )
    if is_sharded(accelerator) and not accelerator.is_fsdp2:
        raise ConfigError(
            "precision",
            precision,
            "FSDP version 1 is not supported. Set fsdp_version: 2 (accelerate launch --fsdp_version 2).",
        )
    if accelerator.device.type == "cuda":
        # fp32 means fp32. In half precision TF32 has nothing left to compute, but the compiler warns where it is off.
        torch.set_float32_matmul_precision("highest" if kind == "no" else "high")
    if accelerator.device.type == "cpu":
        keep_freed_memory()
        if accelerator.num_processes > 1 and "OMP_NUM_THREADS" not in os.environ:
            torch.set_num_threads(max(1, (os.cpu_count() or 1) // accelerator.num_processes))
    return accelerator


def is_sharded(accelerator: Accelerator) -> bool:
    return bool(accelerator.distributed_type == DistributedType.FSDP)


def _on_cpu() -> bool:
    """Whether there is no accelerator: accelerate connects processes on CPUs only when it is told."""
    return not torch.accelerator.is_available()


def _device() -> torch.device:
    """This process's device: of the launcher, if one started it."""
    device: torch.device = PartialState(cpu=_on_cpu()).device
    return device


def choose_precision(precision: Precision) -> str:
    """The precision by accelerate's names, in which fp32 is "no"; on the CPU also where a GPU is left alone."""
    device = _device().type
    if precision == "auto":
        if device == "cuda":
            return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "no"
        return "bf16" if device == "cpu" and compat.computes_bf16_on_cpu() else "no"
    if precision == "fp16" and device != "cuda":
        raise ConfigError("precision", precision, "needs a CUDA device; this machine has none. Use auto, bf16 or fp32.")
    return "no" if precision == "fp32" else precision


def autocast(accelerator: Accelerator) -> torch.autocast:
    """The run's precision, for a model that accelerate does not wrap."""
    kind = accelerator.mixed_precision
    return torch.autocast(
        accelerator.device.type, torch.float16 if kind == "fp16" else torch.bfloat16, enabled=kind != "no"
    )


def pass_tokens(device: torch.device, batch_tokens: int) -> int:
    """Tokens per forward pass: the whole batch on a GPU, as many as the caches hold on a CPU."""
    return min(CPU_PASS, batch_tokens) if device.type == "cpu" else batch_tokens


def peak_memory(device: torch.device) -> int:
    """Peak memory of the process so far, or on CUDA of its tensors, in bytes."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if sys.platform == "win32":
        import psutil

        return int(psutil.Process().memory_info().peak_wset)
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8


def keep_freed_memory() -> bool:
    """Make glibc's malloc keep freed memory instead of returning it to the system; True on success.

    By default the pages that an update frees are returned, then fetched and zeroed one by one in the next update: a
    tenth of its time (docs/benchmarks.md). Blocks above 32 MB, the largest threshold that malloc allows, are still
    returned: kept as well, they fragment the heap, and the process grows. Source: mallopt(3). Without glibc this does
    nothing.
    """
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):  # musl
        return False
    settings = {M_MMAP_THRESHOLD: 32 << 20, M_TRIM_THRESHOLD: -1, M_ARENA_MAX: 1}
    accepted = [mallopt(name, value) for name, value in settings.items()]
    return all(accepted)
