"""Archives of a few members, also of those that are refused."""

import io
import tarfile
import zipfile
from pathlib import Path


def pack(path: Path, members: list[tuple[str, object]], method: int = zipfile.ZIP_STORED) -> Path:
    """Write a .zip or .tgz of names and contents; the content of anything but a file is its tar type."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", method) as packed:
            for name, content in members:
                info = zipfile.ZipInfo(name)
                info.create_system = 3
                modes = {tarfile.SYMTYPE: 0o120777, tarfile.CHRTYPE: 0o020666, tarfile.FIFOTYPE: 0o010666}
                info.external_attr = modes.get(content, 0o100644) << 16
                packed.writestr(info, content, method)
        return path
    with tarfile.open(path, "w:gz") as packed:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if content in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
                info.type, info.linkname, content = content, "1.jpg", b""
            info.size, info.mode = len(content), 0o4444
            packed.addfile(info, io.BytesIO(content))
    return path
