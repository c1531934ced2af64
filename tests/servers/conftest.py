import pytest


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    """No other guest of this machine is in our list."""
    run = tmp_path / "run"
    run.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(run))
