"""Which kernels a page has: of this very Python, in the folder that was asked for, and no longer than the page."""

from __future__ import annotations

import asyncio
import signal
import sys
from datetime import UTC, datetime
from typing import Any, ClassVar, cast

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager, NoSuchKernel
from jupyter_client.manager import AsyncKernelManager
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager, ServerKernelManager

KERNEL = "mlox"
ALONE_S = 60
"""How long a kernel waits for a page that does not answer any more; a page that is closed says so itself."""

WORK_S = 3600.0
"""How long what is under way may go on after its page was closed."""

OF_THE_REQUEST = ("QUERY_STRING", "VOILA_REQUEST_URL")
"""Variables in which Voilà hands on the address of the page, which may have the token in it."""

BY_ITSELF = (None, "comm_open", "comm_msg", "comm_close")
"""Messages of panels, which answer nothing."""

SETTINGS: dict[str, Any] = {
    "cull_idle_timeout": ALONE_S,
    "cull_interval": ALONE_S // 3,
    "cull_connected": False,
    "buffer_offline_messages": False,
}


class ThisPython(KernelSpecManager):
    """One kernel, which no file describes: Jupyter's own search would find those of other environments."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """The one kernel."""
        if kernel_name != KERNEL:
            raise NoSuchKernel(kernel_name)
        argv = [sys.executable, "-P", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="mlox", language="python")

    def find_kernel_specs(self) -> dict[str, str]:
        """Its name; there is no folder of it."""
        return {KERNEL: ""}

    def get_all_specs(self) -> dict[str, Any]:
        """The one kernel, as Jupyter tells of it."""
        return {KERNEL: {"resource_dir": "", "spec": self.get_kernel_spec(KERNEL).to_dict()}}


class Kernels(AsyncMappingKernelManager):
    """Kernels that stand in the asked folder and know nothing of the token.

    What panels say by themselves does not count as somebody's activity, so that a kernel that no page looks at ends.
    """

    folder: ClassVar[str] = ""

    async def start_kernel(self, **options: Any) -> str:  # type: ignore[override]  # upstream's is one of two kinds
        """Start one; by its identifier it can be found."""
        env = {name: value for name, value in options.pop("env", {}).items() if name not in OF_THE_REQUEST}
        options.pop("path", None)
        made: str = await super()._async_start_kernel(env=env, cwd=self.folder, **options)
        self.get_kernel(made).shutdown_wait_time = WORK_S
        return made

    def track_message_type(self, message_type: str | None) -> bool:
        """Whether a message, or what it answers, is somebody's activity."""
        return message_type not in BY_ITSELF and message_type not in self.untracked_message_types

    def notify_disconnect(self, kernel_id: str) -> None:
        """Count the time that nobody looks from here on."""
        super().notify_disconnect(kernel_id)  # type: ignore[no-untyped-call]
        if kernel_id in self:
            cast("ServerKernelManager", self.get_kernel(kernel_id)).last_activity = datetime.now(UTC)

    async def end_all(self, patience_s: float) -> None:
        """End every kernel; one that does not end in time is killed."""
        try:
            await asyncio.wait_for(self.shutdown_all(), patience_s)
        except TimeoutError:
            for made in self.list_kernel_ids():
                await cast("AsyncKernelManager", self.get_kernel(made)).signal_kernel(signal.SIGKILL)
