"""Which folders are on network disks: the kernel does not report what other machines change there. Pure."""

from __future__ import annotations

import re
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")

_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "9p", "virtiofs", "afs", "coda", "ceph", "lustre"}
    | {"beegfs", "gfs2", "ocfs2", "glusterfs", "vboxsf", "prl_fs", "fuse.vmhgfs-fuse", "fuse.sshfs"}
    | {"fuse.rclone", "fuse.s3fs", "fuse.glusterfs", "fuse.ceph", "fuse.ceph-fuse", "fuse.curlftpfs"}
    | {"fuse.davfs2", "fuse.gvfsd-fuse", "fuse.juicefs", "fuse.goofys", "fuse.gcsfuse", "fuse.smbnetfs"}
)


def network_disk(folder: Path, mounts: str) -> str | None:
    """The type of the network disk that a resolved folder is on, or that is mounted below it; else None.

    `mounts` is the text of /proc/self/mountinfo.
    """
    mount = Path("/"), ""
    for line in mounts.splitlines():
        place, _, device = line.partition(" - ")
        point, kind = Path(_unescaped(place.split(" ")[4])), device.split(" ")[0]
        if folder.is_relative_to(point) and len(point.parts) >= len(mount[0].parts):
            mount = point, kind
        elif point.is_relative_to(folder) and kind in _NETWORK:
            return kind
    return mount[1] if mount[1] in _NETWORK else None


def _unescaped(escaped: str) -> str:
    """The kernel writes a space in a name as \\040."""
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), escaped)
