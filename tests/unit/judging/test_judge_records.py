import pytest

from tracegauge.config.errors import ConfigError
from tracegauge.config.judge import LlmJudge
from tracegauge.judging.calibrating import calibrate
from tracegauge.judging.evidence import Evidence
from tracegauge.judging.judge_records import calibration_of, corrected_pass_rate, keep, why_not_trusted
from tracegauge.judging.scale import scale_of
from tracegauge.statistics.corrected_rate import CorrectedRate, NotCorrectable

LLM = {"schema_version": "1.0", "kind": "llm", "name": "j", "model": "openai:/m", "instructions": "Judge {{ outputs }}"}
SPEC = LlmJudge(**LLM, calibration={"minimum_kappa": 0.6})


def calibration(wrong, source="human", spec=SPEC, mock=False):
    """Of 100 items, half of them good, of which the judge has this many wrong."""
    labels = {f"t{i}": {"a": i % 2 == 0} for i in range(100)}
    verdicts = {f"t{i}": {"": (i % 2 == 0) != (i < wrong)} for i in range(100)}
    evidence = Evidence("j", spec.digest, scale_of(spec), labels, verdicts, "here", "there", source, mock)
    return calibrate(evidence)


def test_a_record_is_kept_under_its_digest_and_read_again(tmp_path):
    record = calibration(10)
    file = keep(record, tmp_path / "deep" / "calibrations")
    assert file.name == f"j-{SPEC.digest}.human.json"
    assert calibration_of(SPEC, file.parent) == record
    changed = LlmJudge(**{**LLM, "instructions": "Judge {{ outputs }} well"})
    assert calibration_of(changed, file.parent) is None


def test_people_come_before_synthetic_labels(tmp_path):
    keep(calibration(30, "human"), tmp_path)
    keep(calibration(2, "synthetic"), tmp_path)
    assert calibration_of(SPEC, tmp_path).label_source == "human"


def test_a_judge_is_trusted_only_with_its_minimum_met(tmp_path):
    assert "has no calibration" in why_not_trusted(SPEC, tmp_path)
    keep(calibration(25), tmp_path)  # agreement 0.75, by chance 0.5: kappa 0.5
    assert "kappa of at least 0.6; it was 0.50 on 100 human labels" in why_not_trusted(SPEC, tmp_path)
    keep(calibration(20), tmp_path)  # kappa 0.6: at least is met
    assert why_not_trusted(SPEC, tmp_path) is None
    assert why_not_trusted(LlmJudge(**LLM), tmp_path / "nowhere") is None


def test_a_damaged_record_is_told(tmp_path):
    keep(calibration(10), tmp_path).write_text("{}")
    with pytest.raises(ConfigError, match="calibrate j again"):
        calibration_of(SPEC, tmp_path)


def test_a_folder_that_can_not_be_written_to_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="can't be written"):
        keep(calibration(10), tmp_path / "file")


def test_pass_rates_are_corrected_by_what_people_said():
    # Of the first twenty, which are wrong, ten are good and ten are not: TPR = TNR = 40/50
    found = corrected_pass_rate(calibration(20), 56, 100)
    assert isinstance(found, CorrectedRate)
    assert found.rate == pytest.approx((0.56 + 0.8 - 1) / 0.6)
    low, high = found.interval
    assert low < 0.6 < high


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (None, "not calibrated"),
        (calibration(20, "synthetic"), "synthetic"),
        (calibration(20, mock=True), "mock"),
        (calibration(48), "too near to 1"),
    ],
)
def test_pass_rates_are_not_corrected_on_weak_grounds(record, reason):
    found = corrected_pass_rate(record, 56, 100)
    assert isinstance(found, NotCorrectable)
    assert reason in found.reason


def test_what_a_reader_must_know_is_in_the_record():
    assert "mock judge: pipeline rehearsal, not a quality statement" in calibration(20, mock=True).warnings
    assert any("synthetic labels" in one for one in calibration(20, "synthetic").warnings)
