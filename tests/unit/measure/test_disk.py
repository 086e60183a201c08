import os

from tracegauge.measure.probes.disk import disk_usage


def test_files_of_all_folders_count(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_bytes(b"x" * 10_000)
    (tmp_path / "mlflow.db-wal").write_bytes(b"y" * 500)
    usage = disk_usage(tmp_path)
    assert usage.apparent == 10_500
    # Every filesystem allocates whole blocks, of at least 512 bytes.
    assert usage.allocated >= 10_500
    assert usage.allocated % 512 == 0


def test_a_sparse_file_takes_no_blocks(tmp_path):
    empty = disk_usage(tmp_path)
    with (tmp_path / "sparse").open("wb") as file:
        os.truncate(file.fileno(), 50_000_000)
    usage = disk_usage(tmp_path)
    assert usage.apparent == 50_000_000
    assert usage.allocated - empty.allocated < 1_000_000
