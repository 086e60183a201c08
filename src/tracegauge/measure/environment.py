"""Describing the machine and the software that a campaign is measured on."""

import contextlib
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from tracegauge.measure.executor import FORK_SERVER
from tracegauge.results import Environment

PACKAGES = (
    "tracegauge",
    "mlflow",
    "langgraph",
    "langchain-core",
    "pydantic",
    "sqlalchemy",
    "opentelemetry-sdk",
    "pytest-benchmark",
    "scipy",
)


def describe_environment(store_folder: Path) -> Environment:
    """Look at this machine before anything is done. `store_folder` is where the stores will be; what can't be found out
    is None, and how long setting the stores up takes is not known yet."""
    return Environment(
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        host=platform.node(),
        cpu_model=_cpu_model(),
        cpu_cores=len(os.sched_getaffinity(0)),
        cpu_governor=_read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        load_average_1m=round(os.getloadavg()[0], 2),
        memory_bytes=psutil.virtual_memory().total,
        swap_used_bytes=_swap_used_bytes(),
        other_campaigns=_other_campaigns(),
        disk_type=_disk_type(store_folder),
        os=_os_name(),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        packages=package_versions(),
        git_commit=_git("rev-parse", "HEAD"),
        git_dirty=None if (changes := _git("status", "--porcelain")) is None else bool(changes),
        store_setup_ms={},
    )


def package_versions() -> dict[str, str]:
    """Versions of the packages that matter for what is measured."""
    found = {}
    for name in PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _os_name() -> str:
    with contextlib.suppress(OSError):
        return f"{platform.freedesktop_os_release()['PRETTY_NAME']}, {platform.system()} {platform.release()}"
    return f"{platform.system()} {platform.release()}"


def _cpu_model() -> str | None:
    for line in (_read("/proc/cpuinfo") or "").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or None


def _swap_used_bytes() -> int | None:
    try:
        return int(psutil.swap_memory().used)
    except (OSError, RuntimeError):  # some containers hide it
        return None


def _other_campaigns() -> int:
    """Fork servers that were not started by this process; the workers that they fork look like them."""
    parents = {
        process.pid: process.info["ppid"]
        for process in psutil.process_iter(["cmdline", "ppid"])
        if FORK_SERVER in (process.info["cmdline"] or ())
    }
    return sum(parent != os.getpid() and parent not in parents for parent in parents.values())


def _disk_type(folder: Path) -> str | None:
    """Filesystem type of the mount point that `folder` is under, and whether its device rotates."""
    folder = folder.resolve()
    mounts = [part for part in psutil.disk_partitions(all=True) if folder.is_relative_to(part.mountpoint)]
    if not mounts:
        return None
    mount = max(mounts, key=lambda part: len(part.mountpoint))
    device = Path(mount.device).name
    rotates = _read(f"/sys/class/block/{device}/queue/rotational") or _read(
        f"/sys/class/block/{device}/../queue/rotational"
    )
    kind = {"0": "ssd", "1": "hdd"}.get(rotates or "")
    return f"{mount.fstype}, {kind}" if kind else mount.fstype


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return None


def _git(*arguments: str) -> str | None:
    """Git's answer for the repository of the current directory; None without git or repository."""
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
