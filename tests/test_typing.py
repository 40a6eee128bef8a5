"""A user's file, which `make check` type-checks, also runs."""

import importlib.util
from pathlib import Path

PATH = Path(__file__).with_name("typing_user.py")


def test_a_users_file_runs(tmp_path, capsys):
    spec = importlib.util.spec_from_file_location("typing_user", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main(tmp_path)
    assert "all agree" in capsys.readouterr().out
    assert (tmp_path / "model.json").exists()
