"""What stands at the head of an audit's page: the version, and the machine that it was made on."""

import platform
import subprocess

import torch

from bgbias.audit import about


def test_the_version_is_that_of_the_checkout_or_of_the_package_or_not_known(tmp_path, monkeypatch):
    (tmp_path / "bgbias").mkdir()
    monkeypatch.setattr(about.bgbias, "__file__", str(tmp_path / "bgbias/__init__.py"))
    monkeypatch.setattr(about.metadata, "version", {"bgbias": "1.2"}.__getitem__)
    assert about.version() == "1.2"
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run([*git, "init", "-q"], check=True)
    assert about.version() == "not known"  # no commit
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    subprocess.run([*git, "tag", "v3"], check=True)
    assert about.version() == "v3"


def test_the_machine_is_named_with_its_gpu_and_the_versions(monkeypatch):
    versions = f"Python {platform.python_version()}, torch {torch.__version__}"
    monkeypatch.setattr(about.cores, "named", lambda: "A processor")
    monkeypatch.setattr(about.torch.cuda, "is_available", lambda: False)
    assert about.about(None, False).machine == f"A processor; {versions}"
    monkeypatch.setattr(about.torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(about.torch.cuda, "get_device_name", lambda: "A GPU")
    assert about.machine() == f"A processor, A GPU; {versions}"
